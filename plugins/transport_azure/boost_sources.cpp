// Boost.JSON and Boost.URL are compiled here, once: Debian's archives are not position-independent.
#include <boost/json/src.hpp>
#include <boost/url/src.hpp>

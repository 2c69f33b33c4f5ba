// Boost.URL in one unit: Debian's archive of it is not position-independent.
#include <boost/url/src.hpp>

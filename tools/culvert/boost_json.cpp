// Boost.JSON is compiled here, once: Debian 12's archive of it is not position-independent.
#include <boost/json/src.hpp>

// Boost.JSON is compiled here, once for the engine and the command.
#include <boost/json/src.hpp>

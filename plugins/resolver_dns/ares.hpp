// c-ares. Debian 12 has only the functions that later versions call deprecated.
#pragma once

#define CARES_NO_DEPRECATED
#include <ares.h>

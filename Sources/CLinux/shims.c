/* The shims are header-only; a C target needs one translation unit, which also checks that the header stands alone. */
#include "CLinux.h"

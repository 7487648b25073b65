#!/bin/sh
# An inline function that a kernel object emits out of line could be the copy that the linker keeps for the whole
# program, with instructions that older CPUs lack. So objects built for AVX2 and AVX-512 may define no weak functions.
weak=$(nm -C "$@" | grep -E ' [WV] ')
[ -z "$weak" ] || { echo "weak definitions in kernel objects:"; echo "$weak"; exit 1; }

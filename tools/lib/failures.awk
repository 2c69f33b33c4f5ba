# From ctest's LastTest.log: the names of the tests that failed, each with the last lines it printed.
# -v preset=NAME stands before each name.

/^[0-9]+\/[0-9]+ Testing: / { sub(/^[^:]*: /, ""); name = $0; kept = 0; inside = 0; next }
/^Output:$/ { inside = 1; next }
/^<end of output>$/ { inside = 0; next }
/^Test (Failed|Timeout)/ || /^\*\*\*/ || /^Unable to find executable/ {
  if (inside) next
  printf "%s: %s\n", preset, name
  for (i = (kept > 60 ? kept - 60 : 0); i < kept; i++) printf "    %s\n", printed[i]
  next
}
inside { printed[kept++] = $0 }

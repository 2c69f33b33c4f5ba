# From ctest's LastTest.log: one line for each reason why tests were skipped, with their count and the name
# that they have in common. -v preset=NAME stands before each line.

/^[0-9]+\/[0-9]+ Testing: / { sub(/^[^:]*: /, ""); name = $0; reason = ""; next }
# GoogleTest prints the reason below "FILE:LINE: Skipped", unittest prints ... skipped 'REASON'.
/: Skipped$/ { getline reason; next }
/ skipped ['"]/ { reason = $0; sub(/^.* skipped ['"]/, "", reason); sub(/['"]$/, "", reason); next }
/^Skip regular expression found/ {
  if (reason == "") reason = "no reason printed"
  sub(/ +# GetParam\(\).*$/, "", name) # of Instance/Suite.Test/parameter, Suite.Test is common
  sub(/^[^.]*\//, "", name)
  sub(/\/.*$/, "", name)
  suite = name
  sub(/\..*$/, "", suite)
  if (!(reason in count)) order[++reasons] = reason
  count[reason]++
  if (!((reason, suite) in first)) {
    first[reason, suite] = name
    suites[reason] = suites[reason] (suites[reason] == "" ? "" : " ") suite
  } else if (first[reason, suite] != name) {
    first[reason, suite] = suite ".*"
  }
}
END {
  for (i = 1; i <= reasons; i++) {
    reason = order[i]
    n = split(suites[reason], list, " ")
    names = first[reason, list[1]]
    for (j = 2; j <= n; j++) names = names ", " first[reason, list[j]]
    printf "%s: %d of %s: %s\n", preset, count[reason], names, reason
  }
}

# Tests with real processes: one Python file is one test. CULVERT_BIN tells it where the programs are.

function(culvert_integration name)
  cmake_parse_arguments(TEST "HEAVY" "TIMEOUT" "" ${ARGN})
  add_test(NAME integration_${name}
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/integration/${name}_test.py)
  set_tests_properties(
    integration_${name}
    PROPERTIES LABELS integration
               TIMEOUT ${TEST_TIMEOUT}
               RUN_SERIAL ${TEST_HEAVY}
               SKIP_REGULAR_EXPRESSION "OK [(]skipped="
               ENVIRONMENT "CULVERT_BIN=${PROJECT_BINARY_DIR}/bin;PYTHONDONTWRITEBYTECODE=1")
endfunction()

# By name, so that additions seldom meet.
culvert_integration(abi_v1 TIMEOUT 120)
culvert_integration(echo_conformance TIMEOUT 300 HEAVY)
culvert_integration(crowd TIMEOUT 180)
culvert_integration(demo TIMEOUT 120)
culvert_integration(embed TIMEOUT 600)
culvert_integration(gateways TIMEOUT 120)
culvert_integration(hostile_example_relay TIMEOUT 300)
culvert_integration(hostile_listener TIMEOUT 180)
culvert_integration(hostile_network TIMEOUT 180)
culvert_integration(hostile_relay TIMEOUT 180)
culvert_integration(hyco TIMEOUT 600 HEAVY)
culvert_integration(kill TIMEOUT 300 HEAVY)
culvert_integration(log_options TIMEOUT 120)
culvert_integration(log_reader TIMEOUT 120)
culvert_integration(namespaces TIMEOUT 120)
culvert_integration(openssl_interop TIMEOUT 120)
culvert_integration(operator_mistakes TIMEOUT 180)
culvert_integration(postgres TIMEOUT 300 HEAVY)
culvert_integration(readme TIMEOUT 120)
culvert_integration(refusal_storm TIMEOUT 180)
culvert_integration(relayed_messages TIMEOUT 180)
culvert_integration(reload TIMEOUT 600)
culvert_integration(renewal TIMEOUT 120)
culvert_integration(sas TIMEOUT 120)
culvert_integration(sdk_operator TIMEOUT 120)
culvert_integration(sdk_readme TIMEOUT 120)
culvert_integration(settings TIMEOUT 120)
culvert_integration(shards TIMEOUT 120)
culvert_integration(smoke TIMEOUT 120)
culvert_integration(startup TIMEOUT 120)
culvert_integration(stalled_readers TIMEOUT 1800 HEAVY)
culvert_integration(tls_clients TIMEOUT 120)
culvert_integration(told TIMEOUT 120)
culvert_integration(tools TIMEOUT 120)
culvert_integration(unix_socket TIMEOUT 120)
culvert_integration(up TIMEOUT 120)
culvert_integration(waiting_senders TIMEOUT 120)

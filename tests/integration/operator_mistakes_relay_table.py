"""The rows about `culvert relay`, in the form of operator_mistakes_client_table.py."""

RELAY_ROWS = [
    ('bind without port', 'relay', {'--bind': '127.0.0.1'}, 2,
     "culvert relay: --bind '127.0.0.1' is not ADDRESS:PORT; write 127.0.0.1:8080, "
     '0.0.0.0:8080, [::]:8080 or unix:/PATH'),
    ('bind to a port of words', 'relay', {'--bind': '127.0.0.1:http'}, 2,
     "culvert relay: --bind '127.0.0.1:http' is not ADDRESS:PORT; write 127.0.0.1:8080, "
     '0.0.0.0:8080, [::]:8080 or unix:/PATH'),
    ('bind to a large port', 'relay', {'--bind': '127.0.0.1:65536'}, 2,
     "culvert relay: --bind '127.0.0.1:65536' is not ADDRESS:PORT; write 127.0.0.1:8080, "
     '0.0.0.0:8080, [::]:8080 or unix:/PATH'),
    ('bind to IPv6 without brackets', 'relay', {'--bind': '::1:80'}, 2,
     "culvert relay: --bind '::1:80' is not ADDRESS:PORT; write 127.0.0.1:8080, "
     '0.0.0.0:8080, [::]:8080 or unix:/PATH'),
    ('bind to a relative unix path', 'relay', {'--bind': 'unix:relay.sock'}, 2,
     "culvert relay: --bind 'unix:relay.sock' is not ADDRESS:PORT; write 127.0.0.1:8080, "
     '0.0.0.0:8080, [::]:8080 or unix:/PATH'),
    ('bind to a name', 'relay', {'--bind': 'localhost:8443'}, 2,
     "culvert relay: --bind 'localhost:8443' is a name; write the IP address to listen "
     'on, for example 127.0.0.1:8443 or 0.0.0.0:8443'),
    ('bind to a port in use', 'relay', {'--bind': '127.0.0.1:{busy}'}, 1,
     'culvert relay: --bind 127.0.0.1:{busy}: cannot listen on 127.0.0.1:{busy}: Address '
     'already in use; another process listens there: stop it or choose another port'),
    ('bind to a path in a folder not there', 'relay', {'--bind': 'unix:{folder}/none/x'}, 1,
     'culvert relay: --bind unix:{folder}/none/x: cannot listen on unix:{folder}/none/x: '
     'No such file or directory; make its folder first'),
    ('bind to an address of others', 'relay', {'--bind': '192.0.2.1:8443'}, 1,
     'culvert relay: --bind 192.0.2.1:8443: cannot listen on 192.0.2.1:8443: Cannot '
     'assign requested address; no interface of this machine has that address'),
    ('no bind', 'relay', {'--bind': None}, 2,
     'culvert relay: --bind is missing; write --bind ADDRESS:PORT; see culvert relay --help'),
    ('one of two binds to a port in use', 'relay', {'--bind': ['127.0.0.1:0', '127.0.0.1:{busy}']}, 1,
     'culvert relay: --bind 127.0.0.1:{busy}: cannot listen on 127.0.0.1:{busy}: Address '
     'already in use; another process listens there: stop it or choose another port'),
    ('name twice over', 'relay', {'--auth': ['auth_sas', 'auth_sas']}, 2,
     'culvert relay: --auth is given more than once; write it once; see culvert relay '
     '--help'),
    ('bind without a value', 'relay', {'--bind': None, '': ['--bind']}, 2,
     'culvert relay: --bind has no value; write --bind ADDRESS:PORT; see culvert relay --help'),
    ('bind mode that is none', 'relay', {'--bind': 'unix:{folder}/x', '--bind-mode': '0888'}, 2,
     "culvert relay: --bind-mode '0888' is no mode of a file; write 0660"),
    ('bind mode of more than permissions', 'relay', {'--bind': 'unix:{folder}/x', '--bind-mode': '4755'}, 2,
     "culvert relay: --bind-mode '4755' is no mode of a file; write 0660"),
    ('bind mode of a port', 'relay', {'--bind-mode': '0660'}, 2,
     'culvert relay: --bind-mode is the mode of a unix socket, at most 0777; set it with a unix '
     'path alone'),
    ('no certificate', 'relay', {'--certificate': None}, 2,
     'culvert relay: --certificate is missing; write --certificate FILE; see culvert relay '
     '--help'),
    ('certificate not there', 'relay', {'--certificate': '{folder}/none.pem'}, 1,
     "culvert relay: cannot read the certificate '{folder}/none.pem': No such file or "
     'directory; name a PEM file this user may read'),
    ('certificate is a folder', 'relay', {'--certificate': '{folder}'}, 1,
     "culvert relay: cannot read the certificate '{folder}': Is a directory; name a PEM "
     'file this user may read'),
    ('certificate holds none', 'relay', {'--certificate': '{folder}/empty'}, 1,
     "culvert relay: '{folder}/empty' holds no certificate in PEM form (-----BEGIN "
     'CERTIFICATE-----)'),
    ('certificate that is cut off', 'relay', {'--certificate': '{folder}/half.pem'}, 1,
     "culvert relay: '{folder}/half.pem' holds a certificate that is cut off or damaged; "
     'copy the file again'),
    ('certificate in binary', 'relay', {'--certificate': '{folder}/relay.der'}, 1,
     "culvert relay: '{folder}/relay.der' holds no certificate in PEM form (-----BEGIN "
     'CERTIFICATE-----); if it is DER, convert it with openssl x509 -inform DER'),
    ('certificate is a key', 'relay', {'--certificate': '{folder}/relay.key'}, 1,
     "culvert relay: '{folder}/relay.key' holds no certificate in PEM form (-----BEGIN "
     'CERTIFICATE-----)'),
    ('certificate expired', 'relay', {'--certificate': '{folder}/expired/relay.pem', '--private-key': '{folder}/expired/relay.key'}, 1,
     "culvert relay: the certificate '{folder}/expired/relay.pem' expired at 2020-01-02 00:00:00 "
     'UTC; renew it'),
    ('certificate is a pipe', 'relay', {'--certificate': '{folder}/pipe'}, 1,
     "culvert relay: cannot read the certificate '{folder}/pipe': it is no regular file; name a "
     'PEM file this user may read'),
    ('certificate is weak', 'relay', {'--certificate': '{folder}/weak.pem', '--private-key': '{folder}/weak.key'}, 1,
     "culvert relay: the key of the certificate '{folder}/weak.pem' is too weak (1024 bits of "
     'RSA); make both anew, with a key of 2048 bits of RSA or more, or of P-256'),
    ('no key', 'relay', {'--private-key': None}, 2,
     'culvert relay: --private-key is missing; write --private-key FILE; see culvert relay --help'),
    ('key not there', 'relay', {'--private-key': '{folder}/none.key'}, 1,
     "culvert relay: cannot read the private key '{folder}/none.key': No such file or "
     'directory; name a PEM file this user may read'),
    ('key is a certificate', 'relay', {'--private-key': '{folder}/relay.pem'}, 1,
     "culvert relay: '{folder}/relay.pem' holds no private key in PEM form without a "
     'passphrase (-----BEGIN PRIVATE KEY-----)'),
    ('key that every user may open', 'relay', {'--private-key': '{folder}/open.key'}, 1,
     "culvert relay: --private-key: every user of this machine may open the secret file "
     "'{folder}/open.key' (mode 0644); take this right away with chmod o-rwx, or set "
     '--insecure-secret-files'),
    ('rule of a file that every user may open', 'relay', {'--rule': 'r:listen:file:{folder}/open key'}, 1,
     "culvert relay: --rule r: every user of this machine may open the secret file "
     "'{folder}/open key' (mode 0604); take this right away with chmod o-rwx, or set "
     '--insecure-secret-files'),
    ('limit that is none', 'relay', {'--limit': 'pongg=1s'}, 2,
     "culvert relay: --limit: 'pongg' is no limit; did you mean 'pong'?"),
    ('limit without a value', 'relay', {'--limit': 'pong'}, 2,
     "culvert relay: --limit: 'pong' has no value; write KEY=VALUE"),
    ('limit without a unit', 'relay', {'--limit': 'pong=10'}, 2,
     "culvert relay: --limit pong: '10' is not 100ms to 10min; write a number and ms, s, min, h "
     'or d, for example 10s'),
    ('limit out of its range', 'relay', {'--limit': 'held=1KiB'}, 2,
     "culvert relay: --limit held: '1KiB' is not 256 KiB to 1 TiB; write a number and B, KiB, "
     'MiB, GiB or TiB, for example 256 MiB'),
    ('drain grace that is too long', 'relay', {'--drain-grace': '25h'}, 2,
     "culvert relay: --drain-grace: '25h' is not 0s to 1d; write a number and ms, s, min, h or "
     'd, for example 10s'),
    ('key of another', 'relay', {'--private-key': '{folder}/other.key'}, 1,
     "culvert relay: the private key '{folder}/other.key' does not belong to the "
     "certificate '{folder}/relay.pem' (relay), which must be the first in its file"),
    ('key with a passphrase', 'relay', {'--private-key': '{folder}/locked.key'}, 1,
     "culvert relay: '{folder}/locked.key' holds no private key in PEM form without a "
     'passphrase (-----BEGIN PRIVATE KEY-----)'),
    ('no name', 'relay', {'--name': None}, 2,
     'culvert relay: --name is missing; write --name HOST[,HOST]; see culvert relay --help'),
    ('empty piece in name', 'relay', {'--name': 'a,,b'}, 2,
     "culvert relay: --name: 'a,,b' has an empty item; write A,B"),
    ('empty name', 'relay', {'--name': ''}, 2,
     'culvert relay: --name is empty; write --name HOST[,HOST]'),
    ('name with port', 'relay', {'--name': 'a.example:443'}, 2,
     "culvert relay: relay name 'a.example:443': write a host name or an IP address "
     "alone, without scheme, port, brackets or '*'"),
    ('name with scheme', 'relay', {'--name': 'sb://a.example'}, 2,
     "culvert relay: relay name 'sb://a.example': write a host name or an IP address "
     "alone, without scheme, port, brackets or '*'"),
    ('name with a star', 'relay', {'--name': '*.example'}, 2,
     "culvert relay: relay name '*.example': write a host name or an IP address alone, "
     "without scheme, port, brackets or '*'"),
    ('name in brackets', 'relay', {'--name': '[::1]'}, 2,
     "culvert relay: relay name '[::1]': write a host name or an IP address alone, "
     "without scheme, port, brackets or '*'"),
    ('name twice', 'relay', {'--name': ['a.example', 'A.example']}, 2,
     "culvert relay: relay name 'A.example' is given twice (case does not count): remove "
     'one of them'),
    ('no entity', 'relay', {'--entity': None}, 2,
     'culvert relay: --entity is missing; write --entity PATH; see culvert relay --help'),
    ('entity with a slash in front', 'relay', {'--entity': '/app'}, 2,
     "culvert relay: --entity '/app' names no entity: write its path as one or more names with a single '/' "
     'between them, without one at either end'),
    ('entity with a slash behind', 'relay', {'--entity': 'app/'}, 2,
     "culvert relay: --entity 'app/' names no entity: write its path as one or more names with a single '/' "
     'between them, without one at either end'),
    ('entity with an empty piece', 'relay', {'--entity': 'a//b'}, 2,
     "culvert relay: --entity 'a//b' names no entity: write its path as one or more names with a single '/' "
     'between them, without one at either end'),
    ('empty entity', 'relay', {'--entity': ''}, 2,
     'culvert relay: --entity is empty; write --entity PATH'),
    ('one entity of two empty', 'relay', {'--entity': ['app', '']}, 2,
     'culvert relay: --entity is empty; write --entity PATH'),
    ('entity with a blank', 'relay', {'--entity': 'a b'}, 2,
     "culvert relay: --entity 'a b' names no entity: write its path with at most 260 of the characters A-Z "
     'a-z 0-9 . - _ ~ /'),
    ('entity with a query', 'relay', {'--entity': 'a?b'}, 2,
     "culvert relay: --entity 'a?b' names no entity: write its path with at most 260 of the characters A-Z "
     'a-z 0-9 . - _ ~ /'),
    ('entity twice', 'relay', {'--entity': ['app', 'APP']}, 2,
     "culvert relay: entity 'APP' is given twice (case does not count): remove one of them"),
    ('no rule', 'relay', {'--rule': None}, 2,
     'culvert relay: --rule is missing; write --rule NAME:RIGHTS:SECRET; see culvert '
     'relay --help'),
    ('rule without secret', 'relay', {'--rule': 'r:listen'}, 2,
     'culvert relay: --rule: write NAME:RIGHTS:SECRET, for example app:send:env:APP_KEY'),
    ('rule without name', 'relay', {'--rule': ':listen:env:KEY'}, 2,
     'culvert relay: --rule: write NAME:RIGHTS:SECRET, for example app:send:env:APP_KEY'),
    ('rule with another right', 'relay', {'--rule': 'r:listen,read:env:KEY'}, 2,
     'culvert relay: --rule r: a right is unknown; write listen, send or manage'),
    ('rule without a secret', 'relay', {'--rule': 'r:listen:'}, 2,
     'culvert relay: --rule r: no secret is named; write env:NAME, file:PATH or -'),
    ('rule without right', 'relay', {'--rule': 'r::env:KEY'}, 2,
     'culvert relay: --rule r: no right is named; write listen, send or manage'),
    ('rule with an empty right', 'relay', {'--rule': 'r:listen,:env:KEY'}, 2,
     'culvert relay: --rule r: a right is unknown; write listen, send or manage'),
    ('rule with a right twice', 'relay', {'--rule': 'r:listen,LISTEN:env:KEY'}, 2,
     'culvert relay: --rule r: a right is named twice; write each once'),
    ('rule twice', 'relay', {'--rule': ['r:listen:env:KEY', 'R:send:env:KEY']}, 2,
     'culvert relay: --rule R: the second key of a rule has the rights of the first; write '
     'the same rights, or another name'),
    ('rule three times', 'relay', {'--rule': ['r:listen:env:KEY', 'R:listen:env:KEY', 'r:listen:env:KEY']}, 2,
     'culvert relay: --rule r: a rule has at most two keys, for every entity; leave the third out, or write '
     'keys of one entity into [[relay.entity.rule]] of a file'),
    ('rule with a literal secret', 'relay', {'--rule': 'r:listen:{canary}'}, 2,
     'culvert relay: --rule r: a secret on the command line can be read by every user of '
     'this machine; write env:NAME, file:PATH or - (standard input), or add '
     '--insecure-literal-secrets'),
    ('rule with its parts mixed up', 'relay', {'--rule': 'r:{canary}:listen'}, 2,
     'culvert relay: --rule r: a right is unknown; write listen, send or manage'),
    ('rule with its parts mixed up anew', 'relay', {'--rule': '{canary}:listen:r'}, 2,
     'culvert relay: --rule: a secret on the command line can be read by every user of '
     'this machine; write env:NAME, file:PATH or - (standard input), or add '
     '--insecure-literal-secrets'),
    ('rule of an unset variable', 'relay', {'--rule': 'r:listen:env:UNSET_KEY'}, 1,
     "culvert relay: --rule r: the environment variable 'UNSET_KEY' is not set; export it "
     'first'),
    ('rule of an empty variable', 'relay', {'--rule': 'r:listen:env:EMPTY_KEY'}, 1,
     'culvert relay: --rule r: the secret is empty; put it where it is read from'),
    ('rule of a variable that is a secret', 'relay', {'--rule': 'r:listen:env:{canary}='}, 2,
     'culvert relay: --rule r: env: has no name of a variable behind it; write env:NAME'),
    ('rule of no variable', 'relay', {'--rule': 'r:listen:env:'}, 2,
     'culvert relay: --rule r: env: has no name of a variable behind it; write env:NAME'),
    ('rule of a file not there', 'relay', {'--rule': 'r:listen:file:{folder}/none'}, 1,
     "culvert relay: --rule r: cannot read the file '{folder}/none': No such file or "
     'directory; name a file that this user may read'),
    ('rule of a file without a path', 'relay', {'--rule': 'r:listen:file:'}, 2,
     'culvert relay: --rule r: file: has no path behind it; write file:PATH'),
    ('rule of a folder', 'relay', {'--rule': 'r:listen:file:{folder}'}, 1,
     "culvert relay: --rule r: cannot read the file '{folder}': Is a directory; name a "
     'file that this user may read'),
    ('rule of an empty file', 'relay', {'--rule': 'r:listen:file:{folder}/empty'}, 1,
     'culvert relay: --rule r: the secret is empty; put it where it is read from'),
    ('rule of a file of two lines', 'relay', {'--rule': 'r:listen:file:{folder}/lines'}, 1,
     'culvert relay: --rule r: the secret holds a line break or another control '
     'character; write it as one line'),
    ('rule of an endless file', 'relay', {'--rule': 'r:listen:file:/dev/zero'}, 1,
     "culvert relay: --rule r: cannot read the file '/dev/zero': it is no regular file; name a "
     'file that this user may read'),
    ('rule of a pipe', 'relay', {'--rule': 'r:listen:file:{folder}/pipe'}, 1,
     "culvert relay: --rule r: cannot read the file '{folder}/pipe': it is no regular file; name a "
     'file that this user may read'),
    ('rule of a large file', 'relay', {'--rule': 'r:listen:file:{folder}/large'}, 1,
     "culvert relay: --rule r: the file '{folder}/large' is over 65536 bytes; name one that "
     'holds the secret alone'),
    ('standard input twice', 'relay', {'--rule': ['r:listen:-', 's:send:-']}, 2,
     'culvert relay: --rule s: standard input is read once, for --rule r; write env:NAME '
     'or file:PATH for one of the two'),
    ('rule of a file with a blank at the end', 'relay', {'--rule': 'r:listen:file:{folder}/blank'}, 1,
     'culvert relay: --rule r: the secret has a blank at its beginning or end; write it '
     'without'),
    ('rule of a file with a blank', 'relay', {'--rule': 'r:listen:file:{folder}/words'}, 1,
     'culvert relay: --rule r: the key holds a blank; write the key alone'),
    ('rule of a file with quotes', 'relay', {'--rule': 'r:listen:file:{folder}/quotes'}, 1,
     'culvert relay: --rule r: the secret stands in quotes; write it without them'),
    ('rule of a file with a tab', 'relay', {'--rule': 'r:listen:file:{folder}/tab'}, 1,
     'culvert relay: --rule r: the secret holds a line break or another control '
     'character; write it as one line'),
    ('rule of a file with an empty line', 'relay', {'--rule': 'r:listen:file:{folder}/newlines'}, 1,
     'culvert relay: --rule r: line 2 is empty; remove it'),
    ('rule of a connection string', 'relay', {'--rule': 'r:listen:env:STRING'}, 1,
     'culvert relay: --rule r: a connection string stands here; write its key alone'),
    ('rule of a file without file:', 'relay', {'--rule': 'r:listen:{folder}/lines'}, 2,
     "culvert relay: --rule r: '{folder}/lines' is a file; write file:{folder}/lines"),
    ('name with a dot at its end', 'relay', {'--name': 'relay.example.'}, 2,
     "culvert relay: relay name 'relay.example.' ends with a dot; write it without"),
    ('rule of a file with two returns', 'relay', {'--rule': 'r:listen:file:{folder}/returns'}, 1,
     'culvert relay: --rule r: the secret holds a line break or another control '
     'character; write it as one line'),
    ('rule of a file with a byte order mark', 'relay', {'--rule': 'r:listen:file:{folder}/mark'}, 1,
     'culvert relay: --rule r: the secret begins with a byte order mark; save it as plain '
     'text without one'),
    ('protocol twice', 'relay', {'--protocol': ['transport_azure', 'transport_azure']}, 2,
     "culvert relay: the protocol 'transport_azure' is given twice; remove one of them"),
    ('protocol not there', 'relay', {'--protocol': 'transport_none'}, 1,
     "culvert relay: there is no plugin 'transport_none' in {plugins}, but auth_sas, "
     'example_relay, resolver_dns, resolver_static, transport_azure; put its file there, or name another '
     'plugin directory'),
    ('protocol that is no id', 'relay', {'--protocol': '../x'}, 2,
     "culvert relay: plugin '../x': an id has lower-case letters, digits and '_' only"),
    ('protocol that is an auth plugin', 'relay', {'--protocol': 'auth_sas'}, 2,
     'culvert relay: plugin auth_sas: wanted the kind culvert.kind.relay/1, found '
     'culvert.kind.auth/1; name another plugin here: example_relay, transport_azure'),
    ('auth that is a transport', 'relay', {'--auth': 'transport_azure'}, 2,
     'culvert relay: plugin transport_azure: wanted the kind culvert.kind.auth/1, found '
     'culvert.kind.transport/1, culvert.kind.relay/1; name another plugin here: auth_sas'),
    ('public address of a large port', 'relay', {'--public-address': 'a.example:70000'}, 2,
     "culvert relay: --public-address 'a.example:70000' is not HOST[:PORT]; write "
     'relay.example, relay.example:8443 or [::1]:8443'),
    ('public address of port 0', 'relay', {'--public-address': 'a.example:0'}, 2,
     "culvert relay: --public-address 'a.example:0' is not HOST[:PORT]; write "
     'relay.example, relay.example:8443 or [::1]:8443'),
    ('public address of all interfaces', 'relay', {'--public-address': '0.0.0.0:443'}, 2,
     "culvert relay: --public-address '0.0.0.0:443' is no address that can be dialled; "
     'write the one that listeners reach this relay at'),
    ('public address with a star', 'relay', {'--public-address': '*.example'}, 2,
     "culvert relay: --public-address '*.example' is no address that can be dialled; "
     'write the one that listeners reach this relay at'),
    ('two public addresses', 'relay', {'--public-address': 'a.example,b.example'}, 2,
     "culvert relay: --public-address 'a.example,b.example' is no address that can be "
     'dialled; write the one that listeners reach this relay at'),
    ('public address that is a path', 'relay', {'--public-address': 'unix:/run/x'}, 2,
     "culvert relay: --public-address 'unix:/run/x' is not HOST[:PORT]; write "
     'relay.example, relay.example:8443 or [::1]:8443'),
    ('public address that is a URL', 'relay', {'--public-address': 'https://a.example'}, 2,
     "culvert relay: --public-address 'https://a.example' is not HOST[:PORT]; write "
     'relay.example, relay.example:8443 or [::1]:8443'),
    ('no shard', 'relay', {'--shards': '0'}, 2,
     "culvert relay: --shards: '0' is not 1 to 64; write a number or auto"),
    ('too many shards', 'relay', {'--shards': '65'}, 2,
     "culvert relay: --shards: '65' is not 1 to 64; write a number or auto"),
    ('shards in words', 'relay', {'--shards': 'two'}, 2,
     "culvert relay: --shards: 'two' is not 1 to 64; write a number or auto"),
    ('negative shards', 'relay', {'--shards': '-1'}, 2,
     "culvert relay: --shards: '-1' is not 1 to 64; write a number or auto"),
    ('log level', 'relay', {'--log-level': 'loud'}, 2,
     "culvert relay: --log-level: 'loud' is none of its words; write error, warn, info, debug or "
     'trace'),
    ('log format', 'relay', {'--log-format': 'xml'}, 2,
     "culvert relay: --log-format: 'xml' is none of its words; write text or json"),
    ('plugin folder not there', 'relay', {'--plugin-directory': '{folder}/none'}, 1,
     'culvert relay: {folder}/none: No such file or directory; name another plugin directory'),
    ('second plugin folder not there', 'relay', {'--plugin-directory': ['{folder}/plugins', '{folder}/none']}, 1,
     'culvert relay: {folder}/none: No such file or directory; name another plugin directory'),
    ('plugin folder that is a file', 'relay', {'--plugin-directory': '{folder}/text/transport_azure.so'}, 1,
     'culvert relay: {folder}/text/transport_azure.so: it is no directory; name another plugin '
     'directory'),
    ('second plugin folder that is a device', 'relay', {'--plugin-directory': ['{folder}/plugins', '/dev/null']}, 1,
     'culvert relay: /dev/null: it is no directory; name another plugin directory'),
    ('plugin in none of the folders', 'relay', {'--plugin-directory': '{folder}/plugins', '--auth': 'auth_none'}, 1,
     "culvert relay: there is no plugin 'auth_none' in {folder}/plugins, {plugins}, but auth_sas, "
     'example_relay, resolver_dns, resolver_static, transport_azure; put its file there, or name another '
     'plugin directory'),
    ('first plugin folder wins', 'relay', {'--plugin-directory': ['{folder}/renamed', '{folder}/open']}, 1,
     'culvert relay: {folder}/renamed/transport_azure.so: wanted the id '
     "'transport_azure', found 'auth_sas'; the id is the file's name without .so"),
    ('setting of no plugin', 'relay', {'--set': 'key={canary}'}, 2,
     'culvert relay: --set: write PLUGIN.KEY=VALUE, for example '
     'resolver_dns.servers=10.0.0.2'),
    ('setting without a value', 'relay', {'--set': 'auth_sas.key'}, 2,
     'culvert relay: --set: write PLUGIN.KEY=VALUE, for example '
     'resolver_dns.servers=10.0.0.2'),
    ('setting of a plugin that a relay does not use', 'relay', {'--set': 'resolver_static.hosts_file=x'}, 2,
     "culvert relay: --set: this command does not use the plugin 'resolver_static'; it uses "
     'transport_azure, auth_sas'),
    ('unknown setting', 'relay', {'--set': 'auth_sas.kee={canary}'}, 2,
     "culvert relay: plugin auth_sas has no setting 'kee'; it has key_name, key, second_key, "
     'signature, token_lifetime_s, clock_skew_s'),
    ('unknown setting of a plugin without any', 'relay', {'--set': 'transport_azure.kee={canary}'}, 2,
     "culvert relay: plugin transport_azure has no setting 'kee'; it has none"),
    ('setting of another type', 'relay', {'--set': 'auth_sas.token_lifetime_s={canary}'}, 2,
     "culvert relay: plugin auth_sas: setting 'token_lifetime_s' is a text; write an integer"),
    ('setting of too many digits', 'relay', {'--set': 'auth_sas.token_lifetime_s=99999999999999999999'}, 2,
     "culvert relay: plugin auth_sas: setting 'token_lifetime_s' has more than 64 bits; write a "
     'smaller integer'),
    ('setting that is no list', 'relay', {'--set': ['auth_sas.key_name=a', 'auth_sas.key_name=b']}, 2,
     "culvert relay: plugin auth_sas: setting 'key_name' is a list; write a text"),
    ('secret setting in the open', 'relay', {'--set': 'auth_sas.key={canary}'}, 2,
     'culvert relay: --set auth_sas.key: a secret on the command line can be read by every user '
     'of this machine; write env:NAME, file:PATH or - (standard input), or add '
     '--insecure-literal-secrets'),
    ('secret setting of an unset variable', 'relay', {'--set': 'auth_sas.key=env:NO_SUCH'}, 1,
     "culvert relay: --set auth_sas.key: the environment variable 'NO_SUCH' is not set; export "
     'it first'),
    ('secret setting and rule of standard input', 'relay',
     {'--set': 'auth_sas.key=-', '--rule': 'r:listen:-'}, 2,
     'culvert relay: --set auth_sas.key: standard input is read once, for --rule r; write '
     'env:NAME or file:PATH for one of the two'),
    ('plugin folder that others may write', 'relay', {'--plugin-directory': '{folder}/open'}, 1,
     'culvert relay: {folder}/open may be written by others (mode 0777); run: chmod go-w '
     '{folder}/open'),
    ('plugin of another name', 'relay', {'--plugin-directory': '{folder}/renamed'}, 1,
     'culvert relay: {folder}/renamed/transport_azure.so: wanted the id '
     "'transport_azure', found 'auth_sas'; the id is the file's name without .so"),
    ('plugin that is no shared object', 'relay', {'--plugin-directory': '{folder}/text'}, 1,
     'culvert relay: {folder}/text/transport_azure.so: wanted a shared object, found a '
     'file that is none (no ELF file); put the plugin itself there'),
    ('literal flag with a value', 'relay', {'': ['--insecure-literal-secrets=yes']}, 2,
     "culvert relay: an option that takes no value has one; write it without '='; see "
     'culvert relay --help'),
    ('unknown option', 'relay', {'': ['--entitiy', 'x']}, 2,
     'culvert relay: there is no option --entitiy; see culvert relay --help'),
    ('unknown option that holds a secret', 'relay', {'': ['--key={canary}']}, 2,
     'culvert relay: there is no option --key; see culvert relay --help'),
    ('a stray word', 'relay', {'': ['stray']}, 2,
     "culvert relay: 'stray' belongs to no option; see culvert relay --help"),
    ('a stray word behind --', 'relay', {'': ['--', 'stray']}, 2,
     "culvert relay: 'stray' belongs to no option; see culvert relay --help"),
    ('a stray secret behind --', 'relay', {'': ['--', '{canary}']}, 2,
     "culvert relay: an argument belongs to no option (is a value with ';' or a space "
     'quoted?); see culvert relay --help'),
    ('a stray secret', 'relay', {'': ['SharedAccessKey={canary}']}, 2,
     "culvert relay: an argument belongs to no option (is a value with ';' or a space "
     'quoted?); see culvert relay --help'),
]

"""The rows of operator_mistakes_test.py: title, subcommand, what differs from arguments that work
(an option's value, several, or None for none; "" adds words; "env" is the connection string), exit
code, the one line on stderr."""

CLIENT_ROWS = [
    ('empty file of authorities', 'listen', {'--ca': ''}, 2,
     'culvert listen: --ca is empty; write --ca FILE or leave it out'),
    ('empty connection string', 'listen', {'--connection-string': ''}, 2,
     'culvert listen: --connection-string is empty; write --connection-string S'),
    ('describe an empty id', 'plugins describe', {'': ['']}, 2,
     'culvert plugins describe: id is empty; write the id'),
    ('standard input for rule and token', 'sas verify', {'--token': '-', '--rule': 'r:listen:-'}, 2,
     'culvert sas verify: --rule r: standard input is read once, for --token; write '
     'env:NAME or file:PATH for one of the two'),
    ('connection string with a blank in front', 'listen', {'env': ' {canary}'}, 1,
     'culvert listen: --connection-string: the secret has a blank at its beginning or '
     'end; write it without'),
    ('describe an empty plugin', 'plugins describe', {'--plugin-directory': '{folder}/text', '': ['empty']}, 1,
     'culvert plugins describe: {folder}/text/empty.so: wanted a shared object, found an '
     'empty file; copy or build the plugin again'),
    ('describe a folder', 'plugins describe', {'--plugin-directory': '{folder}/text', '': ['folder']}, 1,
     'culvert plugins describe: {folder}/text/folder.so: wanted a file, found a directory '
     'or a device; put the plugin itself there'),
    ('describe a program', 'plugins describe', {'--plugin-directory': '{folder}/text', '': ['program']}, 1,
     'culvert plugins describe: {folder}/text/program.so: wanted the symbol '
     "culvert_plugin_v1, found none; build it with the SDK's CULVERT_PLUGIN_ENTRY"),
    ('no connection string', 'listen', {'--connection-string': None}, 2,
     'culvert listen: --connection-string is missing; write --connection-string S; see '
     'culvert listen --help'),
    ('connection string for the target', 'listen', {'--target': 'Endpoint=sb://h/;SharedAccessKey={canary}'}, 2,
     'culvert: --target: a connection string stands here; put it into a variable or file, '
     'and write --connection-string env:NAME or file:PATH'),
    ('connection string for a path', 'listen', {'--connection-string': 'file:Endpoint=sb://h/;SharedAccessKey={canary}'}, 2,
     'culvert: --connection-string: a connection string stands here; put it into a '
     'variable or file, and write --connection-string env:NAME or file:PATH'),
    ('literal connection string', 'listen', {'--connection-string': 'Endpoint=sb://h/;SharedAccessKey={canary}'}, 2,
     'culvert listen: --connection-string: a secret on the command line can be read by '
     'every user of this machine; write env:NAME, file:PATH or - (standard input), or add '
     '--insecure-literal-secrets'),
    ('connection string of an unset variable', 'listen', {'--connection-string': 'env:UNSET_KEY'}, 1,
     "culvert listen: --connection-string: the environment variable 'UNSET_KEY' is not "
     'set; export it first'),
    ('connection string of a file not there', 'listen', {'--connection-string': 'file:{folder}/none'}, 1,
     "culvert listen: --connection-string: cannot read the file '{folder}/none': No such "
     'file or directory; name a file that this user may read'),
    ('connection string without endpoint', 'listen', {'env': 'EntityPath=a;SharedAccessKeyName=n;SharedAccessKey={canary}'}, 1,
     'culvert listen: --connection-string: the connection string has no Endpoint; write '
     'Endpoint=sb://HOST[:PORT]/'),
    ('connection string of another scheme', 'listen', {'env': 'Endpoint=https://h/;EntityPath=a;SharedAccessKeyName=n;SharedAccessKey={canary}'}, 1,
     'culvert listen: --connection-string: the connection string has an Endpoint that is '
     'no sb:// address; write Endpoint=sb://HOST[:PORT]/'),
    ('connection string with a path', 'listen', {'env': 'Endpoint=sb://h/a;EntityPath=a;SharedAccessKeyName=n;SharedAccessKey={canary}'}, 1,
     'culvert listen: --connection-string: the connection string has more than '
     'HOST[:PORT] in its Endpoint; the path goes into EntityPath'),
    ('connection string with port 0', 'listen', {'env': 'Endpoint=sb://h:0/;EntityPath=a;SharedAccessKeyName=n;SharedAccessKey={canary}'}, 1,
     'culvert listen: --connection-string: the connection string has a port in its '
     'Endpoint that is not 1 to 65535'),
    ('connection string of a namespace', 'listen', {'env': 'Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey={canary}'}, 1,
     'culvert listen: --connection-string: the connection string has no EntityPath; take '
     "the entity's own string, or add EntityPath=NAME"),
    ('connection string without key', 'listen', {'env': 'Endpoint=sb://h/;EntityPath=a'}, 1,
     'culvert listen: --connection-string: the connection string needs '
     'SharedAccessKeyName and SharedAccessKey (or SharedAccessSignature)'),
    ('connection string with an empty key', 'listen', {'env': 'Endpoint=sb://h/;EntityPath=a;SharedAccessKeyName=n;SharedAccessKey='}, 1,
     'culvert listen: --connection-string: the connection string has a SharedAccessKey '
     'that is empty or longer than 256 characters'),
    ('connection string with an empty key name', 'listen', {'env': 'Endpoint=sb://h/;EntityPath=a;SharedAccessKeyName=;SharedAccessKey={canary}'}, 1,
     'culvert listen: --connection-string: the connection string has a '
     'SharedAccessKeyName that is empty or longer than 256 characters'),
    ('connection string with a key twice', 'listen', {'env': 'Endpoint=sb://h/;EntityPath=a;EntityPath=b'}, 1,
     'culvert listen: --connection-string: the connection string has EntityPath twice'),
    ('connection string with an unknown key', 'listen', {'env': 'Endpoint=sb://h/;Colour=red'}, 1,
     'culvert listen: --connection-string: the connection string has an unknown key '
     "'Colour'; known are Endpoint, EntityPath, SharedAccessKeyName, SharedAccessKey and "
     'SharedAccessSignature'),
    ('connection string with a long unknown key', 'listen', {'env': 'Endpoint=sb://h/; {canary}=x'}, 1,
     'culvert listen: --connection-string: the connection string has an unknown key; known '
     'are Endpoint, EntityPath, SharedAccessKeyName, SharedAccessKey and '
     'SharedAccessSignature'),
    ('connection string that is a secret alone', 'listen', {'env': '{canary}'}, 1,
     "culvert listen: --connection-string: the connection string has a part without '='; "
     'write KEY=VALUE;KEY=VALUE'),
    ('connection string with key and signature', 'listen', {'env': 'Endpoint=sb://h/;EntityPath=a;SharedAccessKeyName=n;SharedAccessKey={canary};SharedAccessSignature={canary}'}, 1,
     'culvert listen: --connection-string: the connection string has '
     'SharedAccessSignature beside a key; keep one of them'),
    ('connection string with an empty signature', 'listen', {'env': 'Endpoint=sb://h/;EntityPath=a;SharedAccessSignature='}, 1,
     'culvert listen: --connection-string: the connection string has an empty '
     'SharedAccessSignature'),
    ('connection string with a malformed signature', 'listen', {'env': 'Endpoint=sb://h/;EntityPath=a;SharedAccessSignature={canary}'},1,
     "culvert listen: signature (a connection string's SharedAccessSignature) is no token: it "
     'does not start with SharedAccessSignature and a space'),
    ('no target', 'listen', {'--target': None}, 2,
     'culvert listen: --target is missing; write --target HOST:PORT; see culvert listen '
     '--help'),
    ('target without port', 'listen', {'--target': 'localhost'}, 2,
     "culvert listen: --target 'localhost' is not HOST:PORT; write 127.0.0.1:8080, "
     '[::1]:8080, NAME:8080 or unix:/PATH'),
    ('target with a user', 'listen', {'--target': 'user@localhost:22'}, 2,
     "culvert listen: --target 'user@localhost:22' is not HOST:PORT; write "
     '127.0.0.1:8080, [::1]:8080, NAME:8080 or unix:/PATH'),
    ('target of port 0', 'listen', {'--target': 'localhost:0'}, 2,
     "culvert listen: --target 'localhost:0' has port 0; write the port it listens on"),
    ('rendezvous host with an empty piece', 'listen', {'--rendezvous-host': 'a,'}, 2,
     "culvert listen: --rendezvous-host: 'a,' has an empty item; write A,B"),
    ('rendezvous host that is a star', 'listen', {'--rendezvous-host': '*'}, 2,
     "culvert listen: rendezvous host '*': write a host name, an IP address or *.SUFFIX, "
     'without scheme, port or path'),
    ('rendezvous host with a port', 'listen', {'--rendezvous-host': 'a.example:443'}, 2,
     "culvert listen: rendezvous host 'a.example:443': write a host name, an IP address "
     'or *.SUFFIX, without scheme, port or path'),
    ('rendezvous host with a scheme', 'listen', {'--rendezvous-host': 'wss://a.example'}, 2,
     "culvert listen: rendezvous host 'wss://a.example': write a host name, an IP address "
     'or *.SUFFIX, without scheme, port or path'),
    ('authorities not there', 'listen', {'--ca': '{folder}/none.pem'}, 1,
     "culvert listen: cannot read the bundle of trusted certificates '{folder}/none.pem': "
     'No such file or directory; name a PEM file this user may read'),
    ('authorities not there, named like a setting', 'listen', {'--ca': '{folder}/ca_file_none'}, 1,
     "culvert listen: cannot read the bundle of trusted certificates '{folder}/ca_file_none': "
     'No such file or directory; name a PEM file this user may read'),
    ('authorities that are cut off', 'listen', {'--ca': '{folder}/half.pem'}, 1,
     "culvert listen: '{folder}/half.pem' holds a certificate that is cut off or damaged; "
     'copy the file again'),
    ("authorities that are the relay's certificate", 'listen', {'--ca': '{folder}/relay.pem'}, 1,
     "culvert listen: '{folder}/relay.pem' holds no certificate of an authority (CA:FALSE); name the "
     "certificate of the authority that signed the relay's, for example ca.pem"),
    ('authorities that are none', 'listen', {'--ca': '{folder}/empty'}, 1,
     "culvert listen: '{folder}/empty' holds no certificate in PEM form (-----BEGIN "
     'CERTIFICATE-----)'),
    ('transport not there', 'listen', {'--transport': 'transport_none'}, 1,
     "culvert listen: there is no plugin 'transport_none' in {plugins}, but auth_sas, "
     'example_relay, resolver_dns, resolver_static, transport_azure; put its file there, or name another '
     'plugin directory'),
    ('transport that is a resolver', 'listen', {'--transport': 'resolver_static'}, 2,
     'culvert listen: plugin resolver_static: wanted the kind culvert.kind.transport/1, '
     'found culvert.kind.resolver/1; name another plugin here: example_relay, '
     'transport_azure'),
    ('auth not there', 'listen', {'--auth': 'auth_none'}, 1,
     "culvert listen: there is no plugin 'auth_none' in {plugins}, but auth_sas, "
     'example_relay, resolver_dns, resolver_static, transport_azure; put its file there, or name another '
     'plugin directory'),
    ('resolver not there', 'listen', {'--resolver': 'resolver_none'}, 1,
     "culvert listen: there is no plugin 'resolver_none' in {plugins}, but auth_sas, "
     'example_relay, resolver_dns, resolver_static, transport_azure; put its file there, or name another '
     'plugin directory'),
    ('hosts file not there', 'listen', {'--set': 'resolver_dns.hosts_file={folder}/none'}, 1,
     "culvert listen: cannot read the hosts_file '{folder}/none': No such file or directory; "
     'name a file that this user may read'),
    ('hosts file that is a folder', 'listen', {'--set': 'resolver_dns.hosts_file={folder}'}, 1,
     "culvert listen: cannot read the hosts_file '{folder}': Is a directory; name a file that "
     'this user may read'),
    ('resolve without address', 'listen', {'--resolve': 'a.example'}, 2,
     'culvert listen: --resolve a.example: it is not NAME=ADDR[,ADDR]; write '
     'NAME=ADDR[,ADDR]'),
    ('resolve of every name', 'listen', {'--resolve': '*.x=127.0.0.1'}, 2,
     'culvert listen: --resolve *.x=127.0.0.1: "*.x" has a \'*\', and each name is written in full; '
     'write NAME=ADDR[,ADDR]'),
    ('target that is almost an address', 'listen', {'--target': '127.0.0.300:1'}, 2,
     "culvert listen: --target '127.0.0.300:1' looks like an IP address and is none; write four "
     'numbers of 0 to 255'),
    ('resolve to a name', 'listen', {'--resolve': 'a.example=b.example'}, 2,
     'culvert listen: --resolve a.example=b.example: "b.example" is not an IP address; '
     'write NAME=ADDR[,ADDR]'),
    ('resolve with an empty piece', 'listen', {'--resolve': 'a.example=127.0.0.1,'}, 2,
     'culvert listen: --resolve a.example=127.0.0.1,: "" is not an IP address; write '
     'NAME=ADDR[,ADDR]'),
    ("sender's bind to a port in use", 'connect', {'--bind': '127.0.0.1:{busy}'}, 1,
     'culvert connect: --bind 127.0.0.1:{busy}: cannot listen on 127.0.0.1:{busy}: '
     'Address already in use; another process listens there: stop it or choose another '
     'port'),
    ('bind to one address twice', 'connect', {'--bind': ['127.0.0.1:{busy}', '127.0.0.1:{busy}']}, 2,
     'culvert connect: --bind 127.0.0.1:{busy}: bind 127.0.0.1:{busy} listens there already; '
     'remove one of the two'),
    ('bind to an address that another bind serves', 'connect', {'--bind': ['[::]:{busy}', '0.0.0.0:{busy}']}, 2,
     'culvert connect: --bind 0.0.0.0:{busy}: bind [::]:{busy} listens there already; '
     'remove one of the two'),
    ("sender's bind to a name", 'connect', {'--bind': 'localhost:0'}, 2,
     "culvert connect: --bind 'localhost:0' is a name; write the IP address to listen on, "
     'for example 127.0.0.1:0 or 0.0.0.0:0'),
    ('sender without bind', 'connect', {'--bind': None}, 2,
     'culvert connect: --bind is missing; write --bind ADDRESS:PORT, or --endpoint HOST:PORT'),
    ('sender with an endpoint without a name', 'connect', {'--bind': None, '--endpoint': '10.0.0.5:1433'}, 2,
     "culvert connect: endpoint '10.0.0.5:1433' has no name that apps look up; write where they "
     'connect as bind'),
    ('sender with a target', 'connect', {'': ['--target', 'a:1']}, 2,
     'culvert connect: there is no option --target; see culvert connect --help'),
    ('verify without the plugin', 'sas verify', {'--auth': 'auth_none'}, 1,
     "culvert sas verify: there is no plugin 'auth_none' in {plugins}, but auth_sas, "
     'example_relay, resolver_dns, resolver_static, transport_azure; put its file there, or name another '
     'plugin directory'),
    ('lifetime in words', 'sas token', {'--lifetime': 'long'}, 2,
     "culvert sas token: --lifetime: 'long' is not 60 to 604800; write a number of seconds"),
    ('lifetime too short', 'sas token', {'--lifetime': '59'}, 2,
     "culvert sas token: --lifetime: '59' is not 60 to 604800; write a number of seconds"),
    ('lifetime too long', 'sas token', {'--lifetime': '604801'}, 2,
     "culvert sas token: --lifetime: '604801' is not 60 to 604800; write a number of "
     'seconds'),
    ('token without connection string', 'sas token', {'--connection-string': None}, 2,
     'culvert sas token: --connection-string is missing; write --connection-string S; see '
     'culvert sas token --help'),
    ('literal token', 'sas verify', {'--token': '{canary}'}, 2,
     'culvert sas verify: --token: a secret on the command line can be read by every user '
     'of this machine; write env:NAME, file:PATH or - (standard input), or add '
     '--insecure-literal-secrets'),
    ('malformed token', 'sas verify', {'--token': 'env:KEY'}, 1,
     'culvert sas verify: refused: TokenMissingOrInvalid: Malformed token: it does not '
     'start with SharedAccessSignature and a space.'),
    ('two rights', 'sas verify', {'--right': 'listen,send'}, 2,
     'culvert sas verify: --right: a relay asks for one right; write listen, send or '
     'manage'),
    ('another right', 'sas verify', {'--right': 'read'}, 2,
     'culvert sas verify: --right: a right is unknown; write listen, send or manage'),
    ('verify for a name with a port', 'sas verify', {'--name': 'a:1'}, 2,
     "culvert sas verify: relay name 'a:1': write a host name or an IP address "
     "alone, without scheme, port, brackets or '*'"),
    ('describe nothing', 'plugins describe', {}, 2,
     'culvert plugins describe: id is missing; write the id; see culvert plugins describe '
     '--help'),
    ('describe what is not there', 'plugins describe', {'': ['auth_none']}, 1,
     "culvert plugins describe: there is no plugin 'auth_none' in {plugins}, but auth_sas, "
     'example_relay, resolver_dns, resolver_static, transport_azure; put its file there, or name another '
     'plugin directory'),
    ('describe what is no id', 'plugins describe', {'': ['Auth']}, 2,
     "culvert plugins describe: plugin 'Auth': an id has lower-case letters, digits and "
     "'_' only"),
    ('list with a level', 'plugins list', {'--log-level': 'loud'}, 2,
     "culvert plugins list: --log-level: 'loud' is none of its words; write error, warn, info, "
     'debug or trace'),
    ('describe with shards', 'plugins describe', {'--shards': '0', '': ['auth_sas']}, 2,
     "culvert plugins describe: --shards: '0' is not 1 to 64; write a number or auto"),
    ('list with a backend', 'plugins list', {'--backend': 'kqueue'}, 2,
     "culvert plugins list: --backend: 'kqueue' is none of its words; write auto, uring or epoll"),
    ('token with a format', 'sas token', {'--log-format': 'xml'}, 2,
     "culvert sas token: --log-format: 'xml' is none of its words; write text or json"),
    ('list nothing', 'plugins list', {'--plugin-directory': '{folder}/none'}, 1,
     'culvert plugins list: plugin directory {folder}/none: No such file or directory; '
     'name a directory that this user may read'),
    ('list with a setting', 'plugins list', {'--set': 'auth_sas.key_name=a'}, 2,
     "culvert plugins list: --set: this command does not use the plugin 'auth_sas'"),
    ('setting that the connection string sets', 'connect', {'--set': 'auth_sas.key_name=a'}, 2,
     "culvert connect: plugin auth_sas: setting 'key_name' is given by the role that uses the "
     "plugin; remove it from the plugin's settings"),
    ('setting that --resolve sets', 'connect',
     {'--set': 'resolver_dns.resolve=a=127.0.0.1', '--resolve': 'b=127.0.0.1'}, 2,
     "culvert connect: plugin resolver_dns: setting 'resolve' is given by the role that uses "
     "the plugin; remove it from the plugin's settings"),
    ('up without a file', 'up', {'--config': None}, 2,
     'culvert up: --config is missing; write --config FILE; see culvert up --help'),
    ('check of a file that is not there', 'check', {}, 1,
     "{folder}/none.toml: cannot read the configuration file '{folder}/none.toml': No such file "
     'or directory; name a file that this user may read'),
    ('status of no address', 'status', {'--admin': 'name:80'}, 2,
     "culvert status: --admin 'name:80' is no address of an admin endpoint; write 127.0.0.1:9464, "
     '[::1]:9464 or unix:/run/culvert/admin.sock'),
    ('status of a path', 'status', {'--admin': '/run/x.sock'}, 2,
     "culvert status: --admin '/run/x.sock' is no address of an admin endpoint; write "
     '127.0.0.1:9464, [::1]:9464 or unix:/run/culvert/admin.sock'),
    ('up with a file and no option', 'up', {'--config': None, '': ['good.toml']}, 2,
     "culvert up: 'good.toml' belongs to no option; write --config good.toml; see culvert up "
     '--help'),
    ('check with a file and no option', 'check', {'--config': None, '': ['{folder}/empty']}, 2,
     "culvert check: '{folder}/empty' belongs to no option; write --config {folder}/empty; see "
     'culvert check --help'),
    ('status with a file', 'status', {'': ['good.toml']}, 2,
     "culvert status: 'good.toml' belongs to no option; see culvert status --help"),
    ('reload with a secret', 'reload', {'': ['{canary}.toml;SharedAccessKey={canary}.toml']}, 2,
     "culvert reload: an argument belongs to no option (is a value with ';' or a space quoted?); "
     'see culvert reload --help'),
    ('reload of nobody', 'reload', {'--admin': 'unix:{folder}/none.sock'}, 1,
     'culvert reload: no answer from the admin endpoint at unix:{folder}/none.sock: No such file or '
     'directory; is bind of [admin] this address, and the process running?'),
    ('no subcommand', '', {}, 2,
     'culvert: a subcommand is missing; write one of relay, listen, connect, up, run, hosts, '
     'dns, check, config, status, reload, setup, sas, plugins, demo; see culvert --help'),
    ('unknown subcommand', 'server', {}, 2,
     "culvert: there is no subcommand 'server'; write one of relay, listen, connect, up, run, hosts, "
     'dns, check, config, status, reload, setup, sas, plugins, demo; see culvert --help'),
    ('unknown option in front', '', {'': ['--verbose']}, 2,
     'culvert: there is no option --verbose; see culvert --help'),
    ('a letter that is no option', '', {'': ['-V']}, 2,
     'culvert: there is no option -V; see culvert --help'),
    ('setup without a name', 'setup relay', {'--name': None}, 2,
     'culvert setup relay: --name is missing; write --name HOST; see culvert setup relay '
     '--help'),
    ('setup with a name and a port', 'setup relay', {'--name': 'a.example:443'}, 2,
     "culvert setup relay: relay name 'a.example:443': write a host name or an IP address "
     "alone, without scheme, port, brackets or '*'"),
    ('setup with a star', 'setup relay', {'--name': '*.x.example'}, 2,
     "culvert setup relay: relay name '*.x.example': write a host name or an IP address "
     "alone, without scheme, port, brackets or '*'"),
    ('setup with a path', 'setup relay', {'--name': 'a.example/x'}, 2,
     "culvert setup relay: relay name 'a.example/x': write a host name or an IP address "
     "alone, without scheme, port, brackets or '*'"),
    ('setup with a port of words', 'setup relay', {'--port': 'https'}, 2,
     "culvert setup relay: --port 'https' is not 1 to 65535"),
    ('setup with port 0', 'setup relay', {'--port': '0'}, 2,
     "culvert setup relay: --port '0' is not 1 to 65535"),
    ('setup with an entity that is none', 'setup relay', {'--entity': 'a b'}, 2,
     "culvert setup relay: --entity 'a b': the connection string has an EntityPath that names no "
     'entity: write its path with at most 260 of the characters A-Z a-z 0-9 . - _ ~ /'),
    ('setup in a folder that is full', 'setup relay', {'--dir': '{folder}'}, 1,
     "culvert setup relay: the folder '{folder}' is not empty, and nothing in it is overwritten; "
     'name another one with --dir'),
    ('setup in no folder', 'setup relay', {'--dir': '{folder}/none/x'}, 1,
     "culvert setup relay: cannot make the folder '{folder}/none/x': No such file or directory; "
     'name another one with --dir'),
    ('an option in front of its subcommand', '', {'': ['--log-level', 'info', 'relay']}, 2,
     "culvert relay: --log-level stands in front of 'relay'; write it behind; see culvert relay "
     '--help'),
    ("an option of token's behind sas", '', {'': ['sas', '--log-level=info', 'token']}, 2,
     "culvert sas token: --log-level stands in front of 'token'; write it behind; see culvert sas "
     'token --help'),
    ('no subcommand of sas', 'sas', {}, 2,
     'culvert sas: a subcommand is missing; write one of token, verify; see culvert sas '
     '--help'),
    ('unknown subcommand of sas', 'sas make', {}, 2,
     "culvert sas: there is no subcommand 'make'; write one of token, verify; see culvert "
     'sas --help'),
    ("demo's target of port 0", 'demo', {'--target': 'localhost:0'}, 2,
     "culvert demo: --target 'localhost:0' has port 0; write the port it listens on"),
    ("demo's target without port", 'demo', {'--target': 'localhost'}, 2,
     "culvert demo: --target 'localhost' is not HOST:PORT; write 127.0.0.1:8080, "
     '[::1]:8080, NAME:8080 or unix:/PATH'),
    ('demo with a value for once', 'demo', {'': ['--once=yes']}, 2,
     "culvert demo: an option that takes no value has one; write it without '='; see "
     'culvert demo --help'),
    ('relay without an address', 'listen', {'--resolver': 'resolver_static', 'env': 'Endpoint=sb://relay.nowhere.test/;SharedAccessKeyName=n;SharedAccessKey={canary};EntityPath=a'},1,
     'culvert listen: no address is known for relay.nowhere.test: add --resolve '
     'relay.nowhere.test=ADDR, or add it to /etc/hosts and start again'),
    ('target without an address', 'listen', {'--target': 'db.nowhere.test:5432', '--resolver': 'resolver_static'}, 1,
     'culvert listen: no address is known for db.nowhere.test: add --resolve '
     'db.nowhere.test=ADDR, or add it to /etc/hosts and start again'),
    ("sender's relay without an address", 'connect', {'--resolver': 'resolver_static', 'env': 'Endpoint=sb://relay.nowhere.test/;SharedAccessKeyName=n;SharedAccessKey={canary};EntityPath=a'},1,
     'culvert connect: no address is known for relay.nowhere.test: add --resolve '
     'relay.nowhere.test=ADDR, or add it to /etc/hosts and start again'),
    ('an expired signature', 'listen', {'env': 'Endpoint=sb://127.0.0.1/;EntityPath=a;SharedAccessSignature=SharedAccessSignature sr=http%3A%2F%2F127.0.0.1%2Fa&sig=MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA%3D&se=1000000000&skn=n'},1,
     "culvert listen: signature (a connection string's SharedAccessSignature) has expired: "
     'give a new one'),
    ('demo with a resolve of no address', 'demo', {'--target': 'localhost:1', '--resolve': 'a'}, 2,
     'culvert demo: --resolve a: it is not NAME=ADDR[,ADDR]; write NAME=ADDR[,ADDR]'),
    ('a line end and an escape in an address', 'connect', {'--bind': '127.0.0.1:7\n\x1b[1m'}, 2,
     "culvert connect: --bind '127.0.0.1:7??[1m' is not ADDRESS:PORT; write 127.0.0.1:8080, "
     '0.0.0.0:8080, [::]:8080 or unix:/PATH'),
    ('verify with a rule twice', 'sas verify', {'--rule': ['r:listen:env:KEY', 'R:send:env:KEY']}, 2,
     'culvert sas verify: --rule R: the second key of a rule has the rights of the first; '
     'write the same rights, or another name'),
    ('verify for a path that is none', 'sas verify', {'--entity': 'a?x'}, 2,
     "culvert sas verify: entity 'a?x': write its path with at most 260 of the characters "
     'A-Z a-z 0-9 . - _ ~ /'),
    ('proxy without a scheme', 'listen', {'--proxy': 'proxy.test:3128'}, 2,
     "culvert listen: --proxy: it is not a proxy's URL; write http://HOST:PORT"),
    ('an address that is told perhaps', 'connect', {'--tell-app-address': 'perhaps'}, 2,
     "culvert connect: --tell-app-address: 'perhaps' is neither true nor false; write one of "
     'them'),
    ('proxy of another kind', 'connect', {'--proxy': 'socks5://{canary}@proxy.test'}, 2,
     'culvert connect: --proxy: only HTTP proxies are known here; write http://HOST:PORT'),
    ('proxy with a password', 'listen', {'--proxy': 'http://u:{canary}@proxy.test:3128'}, 2,
     'culvert listen: --proxy: it holds a user or password, which others could read here; '
     'put USER:PASSWORD into a variable or file, and set --proxy-credentials to env:NAME or '
     'file:PATH'),
    ("proxy's password without a user", 'listen', {'--proxy': 'http://proxy.test:3128', '--proxy-credentials': 'env:KEY'}, 1,
     'culvert listen: --proxy-credentials: it is not USER:PASSWORD in one line; write it so'),
    ("proxy's password itself", 'listen', {'--proxy-credentials': 'u:{canary}'}, 2,
     'culvert listen: --proxy-credentials: a secret on the command line can be read by '
     'every user of this machine; write env:NAME, file:PATH or - (standard input), or add '
     '--insecure-literal-secrets'),
    ('unknown PROXY protocol', 'listen', {'--proxy-protocol': 'v1'}, 2,
     "culvert listen: --proxy-protocol: 'v1' is none of its words; write off or v2"),
]

// Microsoft's hyco-ws as one end of a tunnel; hyco_test.py is the other one and the judge.
//
//   node peer.js listen           serves the entity: echoes messages with their kind
//   node peer.js talk N           opens N connections at once and exchanges messages on each
//   node peer.js stream BYTES     sends that many bytes and compares what comes back
//   node peer.js finish CODE      sends a line, closes with the code, prints how it ended
//   node peer.js await            sends a line, prints what came and how the other side closed
//
// Environment: HYCO_MODULES (the folder with node_modules), RELAY_HOST (host:port), ENTITY,
// KEY_NAME, KEY. Every line printed is one JSON object. Runs on Node 18 and newer.
'use strict';

const crypto = require('crypto');
const path = require('path');
const WebSocket = require(path.join(process.env.HYCO_MODULES, 'node_modules', 'hyco-ws'));

const MEBIBYTE = 1 << 20;

function say(fields) {
  console.log(JSON.stringify(fields));
}

function uri(action) {
  return `wss://${process.env.RELAY_HOST}/$hc/${process.env.ENTITY}?sb-hc-action=${action}`;
}

function token(address) {
  return WebSocket.createRelayToken(address, process.env.KEY_NAME, process.env.KEY);
}

function connect(opened) {
  const address = uri('connect');
  const socket = WebSocket.relayedConnect(address, token(address), opened);
  socket.on('error', (error) => {
    say({ event: 'error', message: String(error.message || error) });
    process.exitCode = 1;
  });
  return socket;
}

// Echoes every message with its kind; the text "close CODE REASON" closes instead.
function serve(socket) {
  const hash = crypto.createHash('sha256');
  let bytes = 0;
  socket.on('message', (data, flags) => {
    const order = flags.binary ? null : /^close (\d+) (.*)$/.exec(data);
    if (order) {
      socket.close(Number(order[1]), order[2]);
      return;
    }
    hash.update(data);
    bytes += Buffer.byteLength(data);
    socket.send(data, { binary: Boolean(flags.binary) });
  });
  socket.on('error', (error) => say({ event: 'broken', message: String(error.message) }));
  socket.on('close', (code, reason) =>
    say({ event: 'closed', code, reason: String(reason), bytes, sha256: hash.digest('hex') }));
}

function listen() {
  const address = uri('listen');
  const server = WebSocket.createRelayedServer(
    { server: address, token: () => token(address) }, serve);
  server.on('listening', () => say({ event: 'listening' }));
  server.on('error', (error) => say({ event: 'error', message: String(error.message || error) }));
}

// What one connection says; texts are not ASCII alone, and both kinds hold the same bytes once.
function conversation(number) {
  const words = `№${number} — `;
  const most = words.repeat(Math.floor(MEBIBYTE / Buffer.byteLength(words)));
  const text = most + '.'.repeat(MEBIBYTE - Buffer.byteLength(most));
  return [text, crypto.randomBytes(MEBIBYTE), 'short', Buffer.from('short'), '',
    Buffer.from([0, 255, 128]), text + number];
}

function talkOnce(number) {
  return new Promise((resolve) => {
    const messages = conversation(number);
    const result = { number, right: 0, wrong: 0 };
    const socket = connect(() => {
      for (const message of messages) {
        socket.send(message, { binary: Buffer.isBuffer(message) });
      }
    });
    let next = 0;
    socket.on('message', (data, flags) => {
      const wanted = messages[next++];
      const sameKind = Boolean(flags.binary) === Buffer.isBuffer(wanted);
      const same = sameKind && Buffer.compare(Buffer.from(data), Buffer.from(wanted)) === 0;
      result[same ? 'right' : 'wrong'] += 1;
      if (next === messages.length) {
        socket.send(`close ${4000 + number} the end of №${number}`);
      }
    });
    socket.on('close', (code, reason) => resolve({ ...result, code, reason: String(reason) }));
  });
}

async function talk(count) {
  const talks = [];
  for (let number = 0; number < count; ++number) {
    talks.push(talkOnce(number));
  }
  for (const result of await Promise.all(talks)) {
    say({ event: 'talked', ...result });
  }
}

function stream(total) {
  const sent = crypto.createHash('sha256');
  const received = crypto.createHash('sha256');
  let out = 0;
  let back = 0;
  const socket = connect(function sendNext() {
    if (out === total) {
      return;
    }
    const piece = crypto.randomBytes(Math.min(MEBIBYTE, total - out));
    sent.update(piece);
    out += piece.length;
    socket.send(piece, { binary: true }, sendNext);
  });
  socket.on('message', (data) => {
    received.update(data);
    back += data.length;
    if (back === total) {
      socket.close(1000, 'done');
    }
  });
  socket.on('close', (code) => say({ event: 'streamed', code, out, back,
    sent: sent.digest('hex'), received: received.digest('hex') }));
}

function sayOneLine(then) {
  const socket = connect(() => socket.send(Buffer.from('a line\n'), { binary: true }));
  const pieces = [];
  socket.on('message', (data, flags) => {
    pieces.push(Buffer.from(data));
    then(socket, flags);
  });
  socket.on('close', (code, reason) => say({ event: 'ended', code, reason: String(reason),
    received: Buffer.concat(pieces).toString('latin1') }));
}

const [mode, argument] = process.argv.slice(2);
const modes = {
  listen,
  talk: () => talk(Number(argument)),
  stream: () => stream(Number(argument)),
  finish: () => sayOneLine((socket) => socket.close(Number(argument), 'goodbye')),
  await: () => sayOneLine(() => {}),
};
modes[mode]();

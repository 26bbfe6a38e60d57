// Loaded before a client's script. Every name under `localhost` is this machine (RFC 6761, section 6.3), as in
// browsers and systemd-resolved; the C library of many systems knows only `localhost` itself. Clients that put the
// bucket into the host name ask for `<bucket>.localhost`.
'use strict';

const dns = require('node:dns');

const original = dns.lookup;

dns.lookup = function lookup(hostname, options, callback) {
  const done = typeof options === 'function' ? options : callback;
  if (hostname !== 'localhost' && !String(hostname).endsWith('.localhost')) {
    return original.call(dns, hostname, options, callback);
  }
  const all = typeof options === 'object' && options !== null && options.all;
  process.nextTick(() => (all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)));
  return {};
};

// Loaded before a script that does not look at its answers: tells the status of each on standard error.
'use strict';

const { subscribe } = require('node:diagnostics_channel');

subscribe('http.client.response.finish', ({ request, response }) => {
  process.stderr.write(`answer: ${request.method} ${request.getHeader('host')} ${response.statusCode}\n`);
});

// A server of its own for each suite: SQLite in a scratch folder, the console on a port of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const BINARY = process.env.BUCKETRY_CONSOLE_BINARY ?? new URL('../../../target/debug/bucketry', import.meta.url).pathname;
const START_MS = 30_000;

export const OPERATOR = { accessKeyId: 'BKTYCONSOLETEST00001', secret: 'a-secret-of-the-console-tests-0001' };

/** Starts a server and stops it when the suite `t` ends. `consoleHost` is the name by which browsers find the console. */
export async function startServer(t, { consoleHost = '127.0.0.1' } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'bucketry-console-'));
  const [dataPort, consolePort] = await freePorts(2);
  const server = {
    endpoint: `http://127.0.0.1:${dataPort}`,
    console: `http://${consoleHost}:${consolePort}`,
    child: undefined,
  };
  server.start = async () => {
    const child = spawn(BINARY, [
      'serve',
      ...['--data-dir', folder],
      ...['--listen', `127.0.0.1:${dataPort}`],
      ...['--console-listen', `127.0.0.1:${consolePort}`],
      ...['--public-url', server.endpoint],
      ...(consoleHost === '127.0.0.1' ? [] : ['--grpc-web-origin', server.console]),
    ], {
      env: {
        PATH: process.env.PATH,
        BUCKETRY_ROOT_ACCESS_KEY_ID: OPERATOR.accessKeyId,
        BUCKETRY_ROOT_SECRET_ACCESS_KEY: OPERATOR.secret,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    server.child = child;
    await ready(child);
  };
  server.stop = async () => {
    if (server.child.exitCode !== null) return;
    const exit = once(server.child, 'exit');
    server.child.kill('SIGTERM');
    await exit;
  };
  await server.start();
  t.after(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return server;
}

function ready(child) {
  const said = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time:\n${said.join('\n')}`)), START_MS);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said.join('\n')}`)));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        if (!line.startsWith('ready ')) return;
        clearTimeout(timer);
        resolve();
      });
    }
  });
}

/** Ports that were free a moment ago. */
async function freePorts(count) {
  const listeners = await Promise.all(
    Array.from({ length: count }, async () => {
      const listener = createServer().listen(0, '127.0.0.1');
      await once(listener, 'listening');
      return listener;
    }),
  );
  const ports = listeners.map((listener) => listener.address().port);
  await Promise.all(listeners.map((listener) => new Promise((closed) => listener.close(closed))));
  return ports;
}

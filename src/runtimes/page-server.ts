import type { AddressInfo } from 'node:net';
import { requireNodeModule } from '../platform/node-modules.ts';

/** A file of the page: its type, and its bytes when they are asked for. */
export interface Served {
  readonly type: string;
  read(): Uint8Array;
}

/**
 * Serves a list of files on this machine's own address, and nothing that is not in the list. The page is cross-origin isolated: WebAssembly
 * has threads in no other.
 */
export async function servePage(files: ReadonlyMap<string, Served>) {
  const server = requireNodeModule('node:http').createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = files.get(pathname);
    if (!file) return void response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': file.type,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    response.end(file.read());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

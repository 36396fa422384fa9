import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** What a request asked for. */
export interface HubRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  /** Whether it came to the server of large files, which a hub redirects to. */
  readonly isStorage: boolean;
}

/** A hub on this machine with one model, whose answers a test may spoil. Large files (.onnx, .onnx_data) come from another host. */
export class ModelHub {
  readonly files = new Map<string, Uint8Array>();
  readonly requests: HubRequest[] = [];
  /** Asked first at every request; true if it has answered. */
  spoil: (request: IncomingMessage, response: ServerResponse, isStorage: boolean) => boolean = () => false;
  readonly #model: string;
  readonly #hub: Server;
  readonly #storage: Server;

  constructor(model: string) {
    this.#model = model;
    this.#hub = createServer((request, response) => this.#answer(request, response, false));
    this.#storage = createServer((request, response) => this.#answer(request, response, true));
  }

  /** Its address. */
  async start(): Promise<string> {
    for (const server of [this.#hub, this.#storage])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return this.#address(this.#hub);
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#storage]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Files that were sent, by their paths. */
  get downloads(): string[] {
    return this.requests.flatMap(({ path, isStorage }) => {
      const file = path.split(`/resolve/${COMMIT}/`)[1];
      return file !== undefined && isStorage === isLarge(file) ? [file] : [];
    });
  }

  #address(server: Server): string {
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse, isStorage: boolean): unknown {
    const { pathname } = new URL(request.url as string, 'http://hub');
    const path = decodeURIComponent(pathname);
    const { range, authorization } = request.headers;
    this.requests.push({ path, range, authorization, isStorage });
    if (this.spoil(request, response, isStorage)) return undefined;
    if (path.startsWith(`/api/models/${this.#model}/revision/`))
      return json(response, { _id: '1', id: this.#model, sha: COMMIT });
    if (path.startsWith(`/api/models/${this.#model}/tree/${COMMIT}`)) return json(response, this.#tree());
    const file = path.split(`/${this.#model}/resolve/${COMMIT}/`)[1];
    const bytes = file === undefined ? undefined : this.files.get(file);
    if (file === undefined || !bytes) return json(response, { error: 'Entry not found' }, 404);
    if (isLarge(file) && !isStorage) {
      const hash = createHash('sha256').update(bytes).digest('hex');
      const headers = {
        location: `${this.#address(this.#storage)}${pathname}`,
        'x-linked-etag': `"${hash}"`,
      };
      return response.writeHead(302, headers).end();
    }
    const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from });
    return response.end(bytes.subarray(from));
  }

  #tree(): object[] {
    return [...this.files].map(([path, bytes]) => ({
      type: 'file',
      path,
      size: bytes.length,
      oid: createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex'),
      ...(isLarge(path) && {
        lfs: { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, pointerSize: 130 },
      }),
    }));
  }
}

function isLarge(path: string): boolean {
  return /\.onnx(_data.*)?$/.test(path);
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

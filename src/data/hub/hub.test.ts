import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSource } from '../sources/index.ts';
import { sourceSchema } from '../testing/source-schema.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { textRows } from '../testing/text-rows.ts';
import { splitFiles } from './dataset-files.ts';
import { download } from './download.ts';
import { matchesGlob } from './glob.ts';
import { hubDataset } from './repository.ts';
import { retryingFetch } from './retrying-fetch.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const NAME = 'someone/reviews';

/** A small hub: one data set, whose answers a test may spoil. */
class Hub {
  readonly files = new Map<string, Buffer>();
  readonly requests: { url: string; range: string | undefined; authorization: string | undefined }[] = [];
  /** Asked first at every request; true if it has answered. */
  spoil: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  ranges = true;
  readonly #server: Server = createServer((request, response) => this.#answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): unknown {
    const url = new URL(request.url as string, 'http://hub');
    const { range, authorization } = request.headers;
    this.requests.push({ url: url.pathname, range, authorization });
    if (this.spoil(request, response)) return undefined;
    if (url.pathname === `/api/datasets/${NAME}/revision/main`)
      return json(response, { _id: '1', id: NAME, sha: SHA });
    if (url.pathname.startsWith(`/api/datasets/${NAME}/tree/${SHA}`)) {
      const list = [...this.files].map(([path, bytes]) => ({
        type: 'file',
        path,
        size: bytes.length,
        oid: createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex'),
        ...(path.endsWith('.parquet') && {
          lfs: {
            oid: createHash('sha256').update(bytes).digest('hex'),
            size: bytes.length,
            pointerSize: 130,
          },
        }),
      }));
      return json(response, list);
    }
    const path = url.pathname.split(`/datasets/${NAME}/resolve/${SHA}/`)[1];
    const bytes = path && this.files.get(decodeURIComponent(path));
    if (!bytes) return json(response, { error: 'Repository not found' }, 404);
    const from = this.ranges ? Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0) : 0;
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from });
    return response.end(bytes.subarray(from));
  }
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Sends half of a file and breaks off. */
function cutOff(response: ServerResponse, bytes: Buffer): true {
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
  return true;
}

const newFolder = temporaryFolders();
const quick = { backoff: 1 };
let hub: Hub;
let endpoint: string;
let folder: string;

beforeEach(async () => {
  hub = new Hub();
  endpoint = await hub.start();
  folder = await newFolder();
});
afterEach(() => {
  vi.unstubAllEnvs();
  return hub.stop();
});

const jsonlFile = Buffer.from('{"text":"one","label":"x"}\n{"text":"two","label":"y"}\n');

describe('hugging-face', () => {
  const read = async (options: { textField?: string; labelField?: string; [option: string]: unknown }) => {
    const source = await openSource(
      sourceSchema.parse({ kind: 'hugging-face', dataset: NAME, endpoint, ...options }),
      {
        resolvePath: (path) => path,
        cacheFolder: folder,
      },
    );
    const rows = [];
    const fields = { text: options.textField ?? 'text', label: options.labelField ?? 'label' };
    for await (const row of textRows(source, fields)) rows.push('sample' in row ? row.sample : row.broken);
    return { title: source.title, fingerprint: await source.fingerprint(), rows };
  };

  it('reads the files of a data set in their splits, and downloads them once', async () => {
    hub.files.set('README.md', Buffer.from('# Reviews\n'));
    hub.files.set(
      'data/train-00000-of-00001.parquet',
      await readFile(new URL('../testing/reviews.parquet', import.meta.url)),
    );
    hub.files.set(
      'data/test-00000-of-00001.parquet',
      await readFile(new URL('../testing/reviews.parquet', import.meta.url)),
    );
    const first = await read({});
    expect(first.title).toBe(`${NAME} at 0123456789ab`);
    expect(first.rows).toHaveLength(12);
    expect(first.rows[0]).toMatchObject({ text: 'good day', label: 'positive', split: 'train' });
    expect(first.rows[6]).toMatchObject({ where: 'data/test-00000-of-00001.parquet:1', split: 'test' });
    const downloads = () => hub.requests.filter(({ url }) => url.includes('/resolve/')).length;
    expect(downloads()).toBe(3);
    expect(await read({})).toEqual(first);
    expect(downloads()).toBe(3);
    expect((await read({ labelField: 'key' })).fingerprint).not.toBe(first.fingerprint);
  });

  it('reads JSONL and CSV by the configurations in the README', async () => {
    hub.files.set(
      'README.md',
      Buffer.from(
        '---\nconfigs:\n- config_name: plain\n  data_files:\n  - split: train\n    path: "plain/*.jsonl"\n' +
          '  - split: dev\n    path: ["held/out.csv"]\n- config_name: other\n  data_files: other/**\n---\n# Reviews\n',
      ),
    );
    hub.files.set('plain/a.jsonl', jsonlFile);
    hub.files.set('held/out.csv', Buffer.from('text,label\nthree,x\n'));
    hub.files.set('other/b.jsonl', jsonlFile);
    const { rows } = await read({ config: 'plain' });
    expect(rows.map((row) => ('text' in row ? [row.text, row.split] : row))).toEqual([
      ['one', 'train'],
      ['two', 'train'],
      ['three', 'validation'],
    ]);
    await expect(read({})).rejects.toMatchObject({
      code: 'data.config',
      remedy: expect.stringContaining('plain, other'),
    });
    await expect(read({ config: 'plane' })).rejects.toMatchObject({ code: 'data.config' });
  });

  it('says that a data set is not there', async () => {
    await expect(read({ dataset: 'someone/nothing' })).rejects.toMatchObject({
      code: 'data.not-found',
      message: "there is no data set 'someone/nothing' on the hub",
      remedy: expect.stringContaining('owner/name'),
    });
  });

  it('says that a data set may not be read', async () => {
    hub.spoil = (_request, response) => {
      json(response, { error: 'gated' }, 401);
      return true;
    };
    await expect(read({})).rejects.toMatchObject({
      code: 'data.forbidden',
      remedy: expect.stringContaining('HF_TOKEN'),
    });
  });

  it('says that nothing in it can be read', async () => {
    hub.files.set('data/train.tar', Buffer.from('x'));
    await expect(read({})).rejects.toMatchObject({
      code: 'data.no-files',
      where: expect.stringContaining('data/train.tar'),
    });
  });
});

describe('hubDataset', () => {
  const get = async (path: string) => {
    const dataset = await hubDataset(NAME, 'main', { endpoint, token: 'hf_test', ...quick });
    const file = dataset.files.find((one) => one.path === path);
    return dataset.fetchFile(file!, folder);
  };

  it('waits as long as a busy server asks, and sends the token', async () => {
    hub.files.set('a b.jsonl', jsonlFile);
    let busy = 2;
    let last = 0;
    const waits: number[] = [];
    hub.spoil = (_request, response) => {
      waits.push(Date.now() - last);
      last = Date.now();
      if (busy-- <= 0) return false;
      response.writeHead(busy === 1 ? 429 : 503, busy === 1 ? { 'retry-after': '0.2' } : {}).end();
      return true;
    };
    expect(await readFile(await get('a b.jsonl'))).toEqual(jsonlFile);
    expect(waits[1]).toBeGreaterThanOrEqual(190);
    expect(hub.requests.every(({ authorization }) => authorization === 'Bearer hf_test')).toBe(true);
  });

  it('goes on where an answer broke off', async () => {
    const bytes = Buffer.alloc(200_000, 'abcdefg');
    hub.files.set('a.jsonl', bytes);
    let cut = true;
    hub.spoil = (request, response) => {
      if (!cut || !request.url?.includes('/resolve/')) return false;
      cut = false;
      return cutOff(response, bytes);
    };
    expect(bytes.equals(await readFile(await get('a.jsonl')))).toBe(true);
    const ranges = hub.requests.filter(({ url }) => url.includes('/resolve/')).map(({ range }) => range);
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    expect(await readdir(folder)).toEqual(['a.jsonl']);
  });

  it('goes on where an earlier process stopped, also if the server knows no ranges', async () => {
    hub.files.set('a.jsonl', jsonlFile);
    for (const ranges of [true, false]) {
      hub.ranges = ranges;
      const other = await newFolder();
      await writeFile(join(other, 'a.jsonl.part'), jsonlFile.subarray(0, 10));
      const dataset = await hubDataset(NAME, 'main', { endpoint, ...quick });
      expect(await readFile(await dataset.fetchFile(dataset.files[0]!, other))).toEqual(jsonlFile);
      expect(hub.requests.at(-1)?.range).toBe('bytes=10-');
    }
  });

  it('starts again where what is there belongs to another file', async () => {
    hub.files.set('a.jsonl', jsonlFile);
    await writeFile(join(folder, 'a.jsonl.part'), 'something else');
    expect(await readFile(await get('a.jsonl'))).toEqual(jsonlFile);
  });

  it('fetches a file again that was damaged on the disk', async () => {
    hub.files.set('a.jsonl', jsonlFile);
    const path = await get('a.jsonl');
    const damaged = Buffer.from(jsonlFile);
    damaged[3] ^= 1;
    await writeFile(path, damaged);
    expect(await readFile(await get('a.jsonl'))).toEqual(jsonlFile);
  });

  it('refuses a file that is not what the hub says', async () => {
    hub.files.set('a.jsonl', jsonlFile);
    hub.spoil = (request, response) => {
      if (!request.url?.includes('/resolve/')) return false;
      response.end(Buffer.alloc(jsonlFile.length, 'x'));
      return true;
    };
    await expect(get('a.jsonl')).rejects.toMatchObject({ code: 'data.checksum' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('gives up on an answer that always breaks off, and keeps what came', async () => {
    hub.files.set('a.jsonl', jsonlFile);
    hub.spoil = (request, response) => {
      if (!request.url?.includes('/resolve/')) return false;
      if (!request.headers.range) return cutOff(response, jsonlFile);
      response.writeHead(206, { 'content-length': 5 });
      response.flushHeaders();
      response.destroy();
      return true;
    };
    await expect(get('a.jsonl')).rejects.toMatchObject({
      code: 'data.download',
      message: expect.stringContaining('broke off at byte'),
      remedy: expect.stringContaining('goes on where it stopped'),
    });
    expect(await readdir(folder)).toEqual(['a.jsonl.part']);
  });

  it('says which answer it got in the end', async () => {
    hub.files.set('a.jsonl', jsonlFile);
    hub.spoil = (request, response) => {
      if (!request.url?.includes('/resolve/')) return false;
      response.writeHead(500).end();
      return true;
    };
    await expect(get('a.jsonl')).rejects.toMatchObject({
      code: 'data.download',
      message: expect.stringContaining('500'),
    });
    expect(hub.requests.filter(({ url }) => url.includes('/resolve/'))).toHaveLength(5);
  });

  it('says why no hub can be reached', async () => {
    await hub.stop();
    await expect(hubDataset(NAME, 'main', { endpoint, attempts: 2, ...quick })).rejects.toMatchObject({
      code: 'data.download',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    hub = new Hub();
    await hub.start();
  });

  it('sends HF_TOKEN only to a hub that the person chose, not to one that a recipe names', async () => {
    hub.files.set('a.jsonl', jsonlFile);
    const asked = async () => {
      hub.requests.length = 0;
      await hubDataset(NAME, 'main', { endpoint, ...quick });
      return [...new Set(hub.requests.map(({ authorization }) => authorization))];
    };
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    expect(await asked()).toEqual([undefined]);
    vi.stubEnv('HF_ENDPOINT', `${endpoint}/`);
    expect(await asked()).toEqual(['Bearer hf_secret']);
  });

  it('takes nothing but a commit for the name of a folder', async () => {
    hub.spoil = (request, response) => {
      if (!request.url?.includes('/revision/')) return false;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ _id: '1', id: NAME, sha: '../../elsewhere' }));
      return true;
    };
    await expect(hubDataset(NAME, 'main', { endpoint, ...quick })).rejects.toMatchObject({
      code: 'data.download',
      message: expect.stringContaining('elsewhere'),
    });
  });

  it('writes no file outside its folder', async () => {
    hub.files.set('../../escape.jsonl', jsonlFile);
    await expect(get('../../escape.jsonl')).rejects.toMatchObject({ code: 'data.unsafe-path' });
  });
});

describe('retryingFetch', () => {
  const answers = (...list: (Response | Error)[]) => {
    const calls = { count: 0 };
    const fetch = async () => {
      const answer = list[Math.min(calls.count++, list.length - 1)] as Response | Error;
      if (answer instanceof Error) throw answer;
      return answer;
    };
    return { calls, fetch: retryingFetch({ fetch, ...quick }) };
  };

  it('tries failed connections again, and not what is answered', async () => {
    const failing = answers(new TypeError('fetch failed'), new Response('fine'));
    expect(await (await failing.fetch('http://x')).text()).toBe('fine');
    const missing = answers(new Response('', { status: 404 }));
    expect((await missing.fetch('http://x')).status).toBe(404);
    expect(missing.calls.count).toBe(1);
  });

  it('reads Retry-After as a date, and does not wait for hours', async () => {
    const soon = new Date(Date.now() - 1000).toUTCString();
    const dated = answers(
      new Response('', { status: 429, headers: { 'retry-after': soon } }),
      new Response('fine'),
    );
    expect((await dated.fetch('http://x')).status).toBe(200);
    const hours = answers(new Response('', { status: 429, headers: { 'retry-after': '7200' } }));
    expect((await hours.fetch('http://x')).status).toBe(429);
    expect(hours.calls.count).toBe(1);
  });

  it('stops waiting when it is told to', async () => {
    const { fetch } = answers(new Response('', { status: 429, headers: { 'retry-after': '60' } }));
    const abort = new AbortController();
    const waiting = fetch('http://x', { signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    await expect(waiting).rejects.toThrow(/abort/i);
  });
});

describe('download', () => {
  it('makes an empty file of no bytes, and none where it may not write', async () => {
    hub.files.set('empty.jsonl', Buffer.alloc(0));
    const url = `${endpoint}/datasets/${NAME}/resolve/${SHA}/empty.jsonl`;
    await download({ url, path: join(folder, 'empty'), bytes: 0 }, fetch);
    expect(await readFile(join(folder, 'empty'), 'utf8')).toBe('');
    await expect(
      download({ url, path: join(folder, 'empty', 'below'), bytes: 5 }, fetch),
    ).rejects.toMatchObject({ code: 'data.unwritable', where: expect.stringContaining('below.part') });
  });
});

describe('splitFiles', () => {
  const files = (...paths: string[]) => paths.map((path) => ({ path, bytes: 1 }));
  const chosen = (paths: string[], config?: string) =>
    splitFiles(files(...paths), undefined, config, NAME).map(({ file, split }) => `${split} ${file.path}`);

  it('goes by folders and names', () => {
    expect(chosen(['train.csv', 'dev.csv', 'test.csv', 'README.md'])).toEqual([
      'train train.csv',
      'validation dev.csv',
      'test test.csv',
    ]);
    expect(chosen(['train/a.parquet', 'test/a.parquet', 'train/a.jsonl'])).toEqual([
      'train train/a.parquet',
      'test test/a.parquet',
    ]);
    expect(chosen(['all.jsonl'])).toEqual(['train all.jsonl']);
    expect(chosen(['contest.csv', 'retrain.csv'])).toEqual(['train contest.csv', 'train retrain.csv']);
    expect(chosen(['en/train.csv', 'de/train.csv'], 'de')).toEqual(['train de/train.csv']);
    expect(() => chosen(['en/train.csv', 'de/train.csv'])).toThrow(/several configurations/);
  });

  it('matches patterns as the hub does', () => {
    expect(matchesGlob('data/train-0.parquet', 'data/train-*')).toBe(true);
    expect(matchesGlob('data/x/train-0.parquet', 'data/*')).toBe(false);
    expect(matchesGlob('data/x/a.csv', '**/*.csv')).toBe(true);
    expect(matchesGlob('a.csv', '**/*.csv')).toBe(true);
    expect(matchesGlob('a.csv', '*.{csv,tsv}')).toBe(true);
    expect(matchesGlob('a1.csv', 'a[0-9].csv')).toBe(true);
    expect(matchesGlob('aXcsv', 'a.csv')).toBe(false);
    expect(matchesGlob('a+b.csv', 'a+b.csv')).toBe(true);
  });
});

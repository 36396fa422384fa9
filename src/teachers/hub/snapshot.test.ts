import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolders } from '../../data/testing/temporary-folder.ts';
import { LimbeckError } from '../../errors.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { modelFiles as filesOfModel, readModelFile } from '../../onnx/node-files.ts';
import { float32 } from '../../onnx/tensor.ts';
import { COMMIT, ModelHub } from '../testing/model-hub.ts';
import { hubDownload, hubSnapshot } from './snapshot.ts';

const NAME = 'someone/small-bert';
const newFolder = temporaryFolders();
let hub: ModelHub;
let endpoint: string;
let folder: string;

beforeEach(async () => {
  hub = new ModelHub(NAME);
  endpoint = await hub.start();
  folder = await newFolder();
  for (const name of ['HF_TOKEN', 'HF_HUB_CACHE', 'HF_HUB_OFFLINE', 'XDG_CACHE_HOME']) vi.stubEnv(name, '');
  vi.stubEnv('HF_ENDPOINT', endpoint);
  vi.stubEnv('HF_HOME', folder);
  layOut();
});
afterEach(() => {
  vi.unstubAllEnvs();
  return hub.stop();
});

/** The bytes of a model, its tensors in a file of their own or not. */
function onnx({ external = false, name = 'model.onnx' } = {}): Record<string, Uint8Array> {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 64]);
  g.output(g.matMul(x, g.initializer('weight', float32(Array(64 * 8).fill(0.5), [64, 8]))), 'logits');
  const files = filesOfModel(`/somewhere/${name}`, g.build(), { externalData: external });
  return Object.fromEntries(
    files.map(({ path, pieces }) => [path.split('/').at(-1) as string, Buffer.concat([...pieces])]),
  );
}

/** As optimum lays out what it exports, beside the weights that it was exported from. */
function layOut(): void {
  const text = (content: unknown) =>
    Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  hub.files.set('README.md', text('---\nlicense: apache-2.0\ntags: [x]\n---\n# Small BERT\n'));
  hub.files.set('config.json', text({ architectures: ['BertForSequenceClassification'] }));
  hub.files.set('tokenizer.json', text({ model: {} }));
  hub.files.set('1_Pooling/config.json', text({}));
  hub.files.set('model.safetensors', text('weights'));
  hub.files.set('openvino/openvino_model.xml', text('other'));
  hub.files.set('onnx/model.onnx', onnx()['model.onnx'] as Uint8Array);
}

function snapshot(more: { file?: string; revision?: string; endpoint?: string } = {}) {
  return hubSnapshot(
    { model: NAME, revision: 'main', ...more },
    { ownCache: join(folder, 'own'), backoff: 1 },
  );
}

async function errorOf(asked: Promise<unknown>): Promise<LimbeckError> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LimbeckError);
  return error as LimbeckError;
}

/** Sends half of a file and breaks off. */
function cutOff(response: ServerResponse, bytes: Uint8Array): true {
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
  return true;
}

describe('a model of a hub', () => {
  it('is downloaded once, into the cache of huggingface_hub, without the weights of other formats', async () => {
    const told: string[] = [];
    const first = await hubSnapshot(
      { model: NAME, revision: 'main' },
      { ownCache: '', tell: (message) => told.push(message) },
    );
    const at = join(folder, 'hub', 'models--someone--small-bert');
    expect(first.model).toBe(join(at, 'snapshots', COMMIT, 'onnx', 'model.onnx'));
    expect(readFileSync(join(at, 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(hub.downloads.sort()).toEqual([
      '1_Pooling/config.json',
      'README.md',
      'config.json',
      'onnx/model.onnx',
      'tokenizer.json',
    ]);
    expect(told).toEqual([
      expect.stringMatching(/^downloads someone\/small-bert at commit 0123456789ab: onnx\/model.onnx, 3 kB/),
    ]);
    expect(first.notes).toEqual([]);
    expect(first.origin).toEqual([
      expect.stringContaining(`at commit ${COMMIT}, which is its main now`),
      `the licence of ${NAME} is apache-2.0`,
    ]);
    expect(await snapshot()).toEqual(first);
    expect(hub.downloads).toHaveLength(5);
  });

  it('is not asked about where its commit is here, and is there without a connection', async () => {
    const { model } = await snapshot();
    hub.requests.length = 0;
    expect((await snapshot({ revision: COMMIT })).model).toBe(model);
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect((await snapshot()).model).toBe(model);
    expect(hub.requests).toEqual([]);
    expect(await errorOf(snapshot({ revision: 'v2' }))).toMatchObject({ code: 'teacher.offline' });
    vi.stubEnv('HF_HUB_OFFLINE', '');
    hub.spoil = (_, response) => !!response.destroy();
    const again = await snapshot();
    expect(again.notes[0]).toContain('the hub cannot be reached');
    expect(again.model).toBe(model);
  });

  it('sends its token to the hub, and not to the host that it redirects to', async () => {
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    await snapshot();
    const sent = (isStorage: boolean) =>
      new Set(hub.requests.filter((one) => one.isStorage === isStorage).map((one) => one.authorization));
    expect(sent(false)).toEqual(new Set(['Bearer hf_secret']));
    expect(sent(true)).toEqual(new Set([undefined]));
  });

  it('of a hub that the recipe names gets no token, and stays out of the cache that others trust', async () => {
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
    const { model } = await snapshot({ endpoint });
    expect(hub.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
    expect(model.startsWith(join(folder, 'own'))).toBe(true);
    expect(existsSync(join(folder, 'hub'))).toBe(false);
  });

  it('comes with its external data, in several files', async () => {
    const { 'model.onnx': model, 'model.onnx_data': data } = onnx({ external: true });
    hub.files.set('onnx/model.onnx', model as Uint8Array);
    expect(await errorOf(snapshot())).toMatchObject({
      code: 'teacher.model',
      message: expect.stringContaining("'model.onnx_data' is not in its repository"),
    });
    hub.files.set('onnx/model.onnx_data', data as Uint8Array);
    const { model: path } = await snapshot();
    expect(readdirSync(dirname(path)).sort()).toEqual(['model.onnx', 'model.onnx_data']);
  });

  it('whose data file did not come is asked for again, also at a commit', async () => {
    const { 'model.onnx': model, 'model.onnx_data': data } = onnx({ external: true });
    hub.files.set('onnx/model.onnx', model as Uint8Array);
    hub.files.set('onnx/model.onnx_data', data as Uint8Array);
    hub.spoil = ({ url }, response) => url?.endsWith('_data') === true && !!response.writeHead(404).end();
    expect((await errorOf(snapshot({ revision: COMMIT }))).code).toBe('data.download');
    hub.spoil = () => false;
    const name = { model: NAME, revision: COMMIT };
    expect(await hubDownload(name, { ownCache: folder })).toMatchObject({ file: 'onnx/model.onnx' });
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect((await errorOf(snapshot({ revision: COMMIT }))).code).toBe('teacher.offline');
    vi.stubEnv('HF_HUB_OFFLINE', '');
    const { model: path } = await snapshot({ revision: COMMIT });
    expect(readModelFile(path).initializers.size).toBe(1);
  });

  it.each([
    [[{ type: 'file', path: 'onnx/model.onnx', oid: 'a' }], "lists 'onnx/model.onnx' with undefined bytes"],
    [[{ type: 'file', path: 'onnx/model.onnx', size: -1, oid: 'a' }], 'with -1 bytes'],
    [[null], 'something that hubs do not say'],
    [{}, 'something that hubs do not say'],
  ])('of a hub that lists %j is refused in words', async (list, message) => {
    hub.spoil = ({ url }, response) =>
      url?.includes('/tree/') === true &&
      !!response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list));
    expect(await errorOf(snapshot())).toMatchObject({
      code: 'data.download',
      message: expect.stringContaining(message),
    });
  });

  it('goes on where a download broke off', async () => {
    let cuts = 0;
    const model = hub.files.get('onnx/model.onnx') as Uint8Array;
    hub.spoil = ({ url }, response, isStorage) =>
      isStorage && url?.endsWith('model.onnx') === true && cuts++ === 0 && cutOff(response, model);
    await snapshot();
    expect(hub.requests.at(-1)?.range).toBe(`bytes=${model.length >> 1}-`);
  });

  it('that is not what the hub says is refused, and one that was damaged here is fetched again', async () => {
    const { model } = await snapshot();
    const intact = readFileSync(model);
    writeFileSync(model, Buffer.alloc(intact.length));
    await snapshot();
    expect(readFileSync(model).equals(intact)).toBe(true);
    writeFileSync(model, Buffer.alloc(intact.length));
    hub.spoil = ({ url }, response, isStorage) => {
      if (!isStorage || !url?.endsWith('model.onnx')) return false;
      response.writeHead(200, { 'content-length': intact.length }).end(Buffer.alloc(intact.length, 1));
      return true;
    };
    expect((await errorOf(snapshot())).code).toBe('data.checksum');
  });

  it.each([
    [404, 'teacher.not-found', /OWNER|owner\/name/],
    [401, 'teacher.forbidden', /HF_TOKEN/],
    [403, 'teacher.forbidden', /HF_TOKEN/],
  ] as const)('that the hub answers %i about', async (status, code, remedy) => {
    hub.spoil = (_, response) => !!response.writeHead(status).end('{}');
    expect(await errorOf(snapshot())).toMatchObject({ code, remedy: expect.stringMatching(remedy) });
  });

  it('that is redirected in circles, or answered by a page, says so', async () => {
    hub.spoil = ({ url }, response) => {
      if (!url?.includes('/resolve/')) return false;
      response.writeHead(302, { location: url }).end();
      return true;
    };
    expect(await errorOf(snapshot())).toMatchObject({
      code: 'data.download',
      message: expect.stringContaining('redirect count exceeded'),
      remedy: expect.stringContaining('where the hub redirects to'),
    });
    hub.spoil = (_, response) => {
      response.writeHead(200).end('<html>log in</html>');
      return true;
    };
    expect((await errorOf(snapshot())).message).toContain('something that is no JSON');
  });

  it('whose file is a pointer of git-lfs, or whose revision is not there, says so', async () => {
    hub.files.set(
      'onnx/model.onnx',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 1\n'),
    );
    const error = await errorOf(snapshot());
    expect(error.message).toContain('git-lfs pointer');
    expect(error.where).toContain(folder);
    hub.spoil = (_, response) => {
      response.writeHead(404).end();
      return true;
    };
    expect((await errorOf(snapshot({ revision: 'v9' }))).message).toContain("with the revision 'v9'");
  });

  it('without ONNX says how to get one', async () => {
    hub.files.delete('onnx/model.onnx');
    const error = await errorOf(snapshot());
    expect(error).toMatchObject({
      code: 'teacher.model',
      message: expect.stringContaining('it has model.safetensors'),
    });
    expect(error.remedy).toContain(`optimum-cli export onnx --model ${NAME} small-bert`);
  });

  it('with five ONNX files is the usual one, the named one, or has to be named', async () => {
    for (const name of ['model_quantized', 'model_fp16', 'model_q4', 'model_uint8'])
      hub.files.set(`onnx/${name}.onnx`, onnx()['model.onnx'] as Uint8Array);
    expect((await snapshot()).model).toMatch(/model\.onnx$/);
    expect((await snapshot({ file: 'onnx/model_fp16.onnx' })).model).toMatch(/model_fp16\.onnx$/);
    expect((await errorOf(snapshot({ file: 'onnx/other.onnx' }))).remedy).toContain('onnx/model_q4.onnx');
    hub.files.delete('onnx/model.onnx');
    const error = await errorOf(snapshot());
    expect(error.message).toBe('the repository has 4 ONNX files');
    expect(error.remedy).toContain('teacher.file: onnx/model_quantized.onnx');
  });

  it('is not led out of its folder, nor into memory, by what its repository says', async () => {
    const { 'a/b.onnx': _, ...rest } = onnx({ external: true, name: 'model.onnx' });
    hub.files.set('onnx/model.onnx', rest['model.onnx'] as Uint8Array);
    hub.files.set('../../outside/config.json', Buffer.from('{}'));
    hub.files.set('onnx/model.onnx_data', rest['model.onnx_data'] as Uint8Array);
    await snapshot();
    expect(existsSync(join(folder, 'outside'))).toBe(false);
    mkdirSync(join(folder, 'x'), { recursive: true });
    hub.files.set('tokenizer.json', Buffer.alloc(65e6));
    expect(await errorOf(snapshot())).toMatchObject({
      code: 'teacher.config',
      message: expect.stringContaining('65.0 MB'),
    });
  });

  it('tells what it would download, and nothing once it is here', async () => {
    const asked = () =>
      hubDownload({ model: NAME, revision: 'main' }, { ownCache: join(folder, 'own'), backoff: 1 });
    const bytes = (hub.files.get('onnx/model.onnx') as Uint8Array).length;
    expect(await asked()).toMatchObject({ commit: COMMIT, file: 'onnx/model.onnx', bytes });
    expect(hub.downloads).toEqual([]);
    await snapshot();
    expect(await asked()).toBeUndefined();
  });

  it('is found where Python put it: as links into a folder of blobs', async () => {
    const { 'model.onnx': model, 'model.onnx_data': data } = onnx({ external: true });
    const at = join(folder, 'hub', 'models--someone--small-bert');
    for (const place of ['blobs', 'refs', `snapshots/${COMMIT}/onnx`])
      mkdirSync(join(at, place), { recursive: true });
    writeFileSync(join(at, 'refs', 'main'), COMMIT);
    const link = (path: string, name: string, bytes: Uint8Array) => {
      writeFileSync(join(at, 'blobs', name), bytes);
      symlinkSync(join(at, 'blobs', name), join(at, 'snapshots', COMMIT, path));
    };
    link('onnx/model.onnx', 'a', model as Uint8Array);
    link('onnx/model.onnx_data', 'b', data as Uint8Array);
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    const { model: path } = await snapshot();
    expect(readModelFile(path).initializers.size).toBe(1);
    expect(hub.requests).toEqual([]);
  });
});

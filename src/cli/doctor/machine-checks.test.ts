import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkDisk, checkInstructions, checkMemory, checkNode, instructionsOf } from './machine-checks.ts';
import { checkChromium, checkCudaLibraries, checkPackages } from './package-checks.ts';

test('Node.js', () => {
  expect(checkNode('20.19.0').status).toBe('ok');
  expect(checkNode('22.12.0').status).toBe('ok');
  expect(checkNode('20.18.3').status).toBe('problem');
  expect(checkNode('18.19.0')).toMatchObject({ status: 'problem', remedy: expect.stringContaining('20') });
});

test('memory that is too small is a problem', () => {
  expect(checkMemory(8e9, 2e9)).toMatchObject({ status: 'ok', found: '8.0 GB, 2.0 GB free' });
  expect(checkMemory(1e9, 5e8).status).toBe('problem');
});

test('disk', async () => {
  expect((await checkDisk(process.cwd())).found).toMatch(/free in/);
});

test.each([
  ['flags\t\t: fpu avx2 avx512f avx512_vnni', 'ok', 'avx2, avx512f, avx512_vnni'],
  ['flags\t\t: fpu avx2', 'missing', 'avx2'],
  ['flags\t\t: fpu', 'missing', 'none of the fast ones'],
  ['Features\t: fp asimd asimddp', 'ok', 'asimddp'],
])('instructions of %j', (cpuinfo, status, found) => {
  expect(instructionsOf(`processor\t: 0\n${cpuinfo}\nbugs\t: x\n`)).toMatchObject({ status, found });
});

test('no /proc/cpuinfo, no finding', async () => {
  expect(instructionsOf('processor: 0')).toBeUndefined();
  expect(await checkInstructions('/nowhere/cpuinfo')).toBeUndefined();
});

test('packages and browser', async () => {
  const [there, missing] = checkPackages([
    { name: 'zod', what: 'recipes' },
    { name: 'no-such-package-here', what: 'nothing' },
  ]);
  expect(there).toMatchObject({ name: 'zod', status: 'ok' });
  expect(missing).toMatchObject({ status: 'missing', remedy: 'npm install no-such-package-here' });
  expect(checkChromium({ PATH: '/nowhere' }).status).toBe('missing');
  expect(checkChromium({ LIMBECK_CHROMIUM: '/nowhere/chromium' })).toMatchObject({
    status: 'missing',
    found: expect.stringMatching(/^LIMBECK_CHROMIUM names \/nowhere\/chromium/),
  });
});

test.runIf(process.platform === 'linux' && process.arch === 'x64')('CUDA libraries', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'limbeck-cuda-'));
  const bin = join(folder, 'bin/napi-v6/linux/x64');
  await mkdir(bin, { recursive: true });
  expect(checkCudaLibraries(folder)).toMatchObject({
    status: 'missing',
    remedy: expect.stringContaining('ONNXRUNTIME_NODE_INSTALL=skip npm install limbeck'),
  });
  await writeFile(join(bin, 'libonnxruntime_providers_cuda.so'), '');
  expect(checkCudaLibraries(folder)?.status).toBe('ok');
  await rm(folder, { recursive: true });
});

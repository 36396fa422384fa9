import { afterEach, beforeEach, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { readModel } from '../onnx/read-model.ts';
import { textOf } from '../platform/bytes.ts';
import { readFileSync, useFiles } from '../platform/files.ts';
import { MemoryFiles } from '../platform/memory-files.ts';
import { jsonFile, packageContents, writePackage } from './package-folder.ts';

let files: MemoryFiles;
let restore: () => void;
beforeEach(() => {
  files = new MemoryFiles();
  restore = useFiles(files);
});
afterEach(() => restore());

function identity(name: string) {
  const g = new GraphBuilder();
  g.output(g.identity(g.input('x', 'float32', ['batch'])), name);
  return g.build();
}

it('is a map of names to bytes before it is a folder', () => {
  const json = jsonFile('config.json', { width: 3 });
  const models = { 'onnx/model.onnx': identity('a'), 'onnx/model_quantized.onnx': null };
  const contents = packageContents(models, [json]);
  expect([...contents.keys()]).toEqual(['onnx/model.onnx', 'config.json']);
  expect(readModel([...(contents.get('onnx/model.onnx') ?? [])][0] as Uint8Array).outputs[0]?.name).toBe('a');
  expect([...files.filesIn('/')]).toEqual([]);
});

it('replaces the folder that was there', () => {
  writePackage('/student', { model: identity('a'), quantized: identity('b') }, [jsonFile('config.json', {})]);
  writePackage('/student', { model: identity('c'), quantized: null }, [], {
    'onnx/tower.onnx': identity('d'),
  });
  expect([...files.filesIn('/')].map(({ path }) => path).sort()).toEqual([
    '/student/onnx/model.onnx',
    '/student/onnx/tower.onnx',
  ]);
  expect(readModel(readFileSync('/student/onnx/tower.onnx')).outputs[0]?.name).toBe('d');
  expect(textOf(jsonFile('config.json', {}).bytes)).toBe('{}\n');
});

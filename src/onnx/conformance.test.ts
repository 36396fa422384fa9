import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { LimbeckError } from '../errors.ts';
import { decodeTensor } from './decode-tensor.ts';
import { evaluateNode } from './evaluate/evaluate-node.ts';
import { checkGraph } from './passes/check-graph.ts';
import { readModel } from './read-model.ts';
import { TensorProtoSchema } from './schema/onnx.gen.ts';
import type { Tensor } from './tensor.ts';
import { writeModel } from './write-model.ts';

/** ONNX's own test models, of Debian's package libonnx-testdata. */
const FOLDER = '/usr/share/libonnx-testdata/data';
const models = existsSync(FOLDER)
  ? readdirSync(FOLDER).flatMap((set) =>
      readdirSync(`${FOLDER}/${set}`)
        .map((name) => ({ name, folder: `${FOLDER}/${set}/${name}` }))
        .filter(({ folder }) => existsSync(`${folder}/model.onnx`)),
    )
  : [];

/** What we say that we do not read: sequences, optionals and types as attributes. */
const UNSUPPORTED = ['model.not-a-tensor', 'model.attribute'];

describe.skipIf(models.length === 0)('ONNX conformance models (apt-get install libonnx-testdata)', () => {
  it('are read, and come back from our files as they were', () => {
    const refused: string[] = [];
    for (const { name, folder } of models) {
      const bytes = readFileSync(`${folder}/model.onnx`);
      try {
        const graph = readModel(bytes, { title: name });
        checkGraph(graph);
        const written = writeModel(graph);
        expect(Buffer.compare(writeModel(readModel(written)), written), name).toBe(0);
      } catch (error) {
        if (!(error instanceof LimbeckError)) throw error;
        expect(UNSUPPORTED, `${name}: ${error}`).toContain(error.code);
        refused.push(name);
      }
    }
    expect(models.length).toBeGreaterThan(1000);
    expect(refused.length).toBeLessThan(30);
  });

  it('are evaluated to the outputs that come with them, bit for bit', () => {
    const evaluated = new Set<string>();
    for (const { name, folder } of models) {
      let graph: ReturnType<typeof readModel>;
      try {
        graph = readModel(readFileSync(`${folder}/model.onnx`));
      } catch {
        continue;
      }
      const [node] = graph.nodes;
      const data = `${folder}/test_data_set_0`;
      if (graph.nodes.length !== 1 || !node || !existsSync(data)) continue;
      const inputs = node.inputs.map(
        (value) => value && tensorIn(data, 'input', graph.inputs.indexOf(value)),
      );
      if (inputs.includes(undefined)) continue;
      // The package keeps bfloat16 data as uint16.
      if (inputs.some((tensor, i) => tensor && tensor.type !== node.inputs[i]!.type)) continue;
      const results = evaluateNode(node, inputs);
      if (!results) continue;
      evaluated.add(node.opType);
      for (const [i, result] of results.entries()) {
        const wanted = tensorIn(data, 'output', graph.outputs.indexOf(node.outputs[i]!))!;
        expect({ ...result, dims: [...result.dims] }, name).toEqual(wanted);
      }
    }
    expect([...evaluated].sort()).toEqual(
      expect.arrayContaining(
        [
          'Add',
          'Cast',
          'Concat',
          'Constant',
          'ConstantOfShape',
          'Equal',
          'Expand',
          'Gather',
          'Max',
          'Range',
        ].concat(['Reshape', 'Shape', 'Slice', 'Squeeze', 'Transpose', 'Unsqueeze', 'Where']),
      ),
    );
  });
});

function tensorIn(folder: string, kind: string, index: number): Tensor | undefined {
  const path = `${folder}/${kind}_${index}.pb`;
  if (!existsSync(path)) return undefined;
  try {
    return decodeTensor(fromBinary(TensorProtoSchema, readFileSync(path)), path);
  } catch {
    // A sequence or an optional.
    return undefined;
  }
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { decodeTensor } from '../decode-tensor.ts';
import { decompose } from '../decompose/decompose.ts';
import type { Graph, TypedValue } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { OPSET_RANGE, upgradeOpset } from '../passes/upgrade-opset/upgrade-opset.ts';
import { readModel } from '../read-model.ts';
import { TensorProtoSchema } from '../schema/onnx.gen.ts';
import type { Tensor } from '../tensor.ts';
import { formatShape } from './rule.ts';
import { inferenceRule } from './rules.ts';

/** ONNX's own test models, of Debian's package libonnx-testdata. */
const FOLDER = '/usr/share/libonnx-testdata/data';
const models = existsSync(FOLDER)
  ? readdirSync(FOLDER).flatMap((set) =>
      readdirSync(`${FOLDER}/${set}`)
        .map((name) => ({ name, folder: `${FOLDER}/${set}/${name}` }))
        .filter(({ folder }) => existsSync(`${folder}/test_data_set_0/output_0.pb`)),
    )
  : [];

/** Sizes that only elements tell: of the input of NonZero, of floats that a window function counts to. */
const OPEN_SIZES = /^test_(nonzero|blackmanwindow|hammingwindow|hannwindow)/;

describe.skipIf(models.length === 0)('shape inference (apt-get install libonnx-testdata)', () => {
  it("tells types and shapes of the outputs of ONNX's conformance models", () => {
    const wrong: string[] = [];
    const open: string[] = [];
    let told = 0;
    for (const { name, folder } of models) {
      const graph = ours(folder);
      if (!graph) continue;
      const data = `${folder}/test_data_set_0`;
      const values = inferred(graph, data);
      if (!values) continue;
      graph.outputs.forEach((output, i) => {
        const wanted = tensorIn(data, 'output', i);
        const found = values.get(output.name);
        // The package keeps bfloat16 data as uint16.
        if (!wanted || !found || found.type === 'bfloat16') return;
        const agrees =
          found.type === wanted.type &&
          found.shape.length === wanted.dims.length &&
          found.shape.every((size, axis) => typeof size === 'string' || size === wanted.dims[axis]);
        if (!agrees) {
          const say = `${found.type}${formatShape(found.shape)}, not ${wanted.type}${formatShape(wanted.dims)}`;
          wrong.push(`${name}: ${say}`);
        }
        if (found.shape.some((size) => typeof size === 'string')) open.push(name);
        told++;
      });
    }
    expect(wrong).toEqual([]);
    expect(open.filter((name) => !OPEN_SIZES.test(name))).toEqual([]);
    expect(told).toBeGreaterThan(950);
  });
});

/** A model in operators that are inferred here; undefined for one that is not read or has others. */
function ours(folder: string): Graph | undefined {
  try {
    const graph = readModel(readFileSync(`${folder}/model.onnx`));
    const opset = graph.opsets.get('') ?? 0;
    if (opset < OPSET_RANGE.oldest) return undefined;
    const simple = decompose(upgradeOpset(graph, Math.max(20, opset)));
    return simple.nodes.every(({ domain, opType }) => inferenceRule(domain, opType)) ? simple : undefined;
  } catch {
    // Sequences, and forms that newer operator sets cannot say.
    return undefined;
  }
}

/** The values of a graph for the given inputs; scalars and vectors are constants, since they may say sizes. */
function inferred(graph: Graph, data: string): Map<string, TypedValue> | undefined {
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const [i, { name, type }] of graph.inputs.entries()) {
    const given = tensorIn(data, 'input', i);
    if (!given) return undefined;
    const constant = given.dims.length <= 1 && given.type === type;
    bound.set(name, constant ? g.initializer(name, given) : g.input(name, type ?? given.type, given.dims));
  }
  return g.inline(graph, bound);
}

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

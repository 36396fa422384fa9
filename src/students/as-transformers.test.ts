import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { describeModel } from '../onnx/anatomy/describe-model.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { withOutputs } from '../onnx/passes/select-outputs.ts';
import { readModel } from '../onnx/read-model.ts';
import { int64, type Tensor, toNumbers } from '../onnx/tensor.ts';
import { runGraph } from '../onnx/testing/run-graph.ts';
import { randomStream } from '../random.ts';
import type { Backbone } from './backbone.ts';
import { buildClassifier } from './build-student.ts';
import { BACKBONES } from './index.ts';

// Students with the weights of the models that transformers made and PyTorch exported give what those give.
const CASES = join(import.meta.dirname, '../../test/pytorch-gradients/cases');

function exported(name: string): Graph {
  const file = readdirSync(CASES).find((one) => one.startsWith(`${name}.dynamo`) && one.endsWith('.onnx.gz'));
  return readModel(gunzipSync(readFileSync(join(CASES, file as string))), { title: name });
}

/** Weights of layers and normalisations in the order in which nodes read them. */
function weightsInOrder({ nodes, initializers }: Graph): Value[] {
  const read = nodes
    .filter(({ opType }) => ['MatMul', 'Add', 'LayerNormalization', 'Conv', 'Gemm'].includes(opType))
    .flatMap(({ inputs }) => inputs.filter((value): value is Value => !!value && initializers.has(value)));
  return [...new Set(read)].filter((value) => {
    const content = initializers.get(value) as Tensor;
    return content.type === 'float32' && content.data.length > 1;
  });
}

const TEXTS = {
  ids: [3, 14, 15, 9, 26, 5, 35, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2],
  mask: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
};
const SIZES = { width: 16, heads: 2, layers: 2, feedForward: 32 };

describe.each([
  ['bert', { ...SIZES }],
  ['albert', { ...SIZES, embedding: 8 }],
  ['distilbert', { ...SIZES }],
])('%s', (kind, options) => {
  const theirs = exported(kind);
  const backbone = BACKBONES.find((one) => one.kind === kind) as unknown as Backbone;
  const { graph } = buildClassifier(backbone, backbone.options.parse(options), {
    ...{ vocabularySize: 50, maxLength: 9, classes: 3 },
    random: randomStream(1, kind),
  } as never);

  const named = (part: string) =>
    [...theirs.initializers].find(([{ name }]) => name.includes(part))?.[1] as Tensor;
  const positions = (): Float32Array => {
    const gathered = [...theirs.initializers].find(([{ name }]) => /^embedding_\d$/.test(name))?.[1];
    const types = named('token_type_embeddings');
    // Texts that are not pairs are all of the first type.
    return Float32Array.from(toNumbers(gathered as Tensor), (value, i) => {
      return types ? value + Number(types.data[i % (types.dims[1] as number)]) : value;
    });
  };
  const taken = (): Graph => {
    const order = weightsInOrder(theirs).filter(({ name }) => !/^embedding_\d$/.test(name));
    const contents = new Map<string, Tensor>(
      weightsInOrder(graph).flatMap(({ name }, i) => {
        const source = order[i];
        return source ? [[name, theirs.initializers.get(source) as Tensor]] : [];
      }),
    );
    contents.set('embeddings/word_embeddings/weight', named('word_embeddings'));
    const width = graph.initializers.get(findInitializer(graph, 'position_embeddings'))?.dims[1] as number;
    contents.set('embeddings/position_embeddings/weight', {
      ...{ type: 'float32', dims: [9, width] },
      data: positions(),
    });
    const initializers = new Map(
      [...graph.initializers].map(([value, own]) => {
        const content = contents.get(value.name) ?? own;
        expect(content.dims, value.name).toEqual(own.dims);
        return [value, content];
      }),
    );
    return { ...graph, initializers };
  };

  it('gives the hidden states and the attention that transformers gives', async () => {
    const { layers } = describeModel(graph);
    expect(layers).toHaveLength(2);
    const own = layers.flatMap((layer) => [layer.attention!.probabilities, layer.hidden!.name]);
    const last = theirs.nodes.filter(({ opType }) => opType === 'LayerNormalization').at(-1)!.outputs[0]!;
    const softmax = theirs.nodes.filter(({ opType }) => opType === 'Softmax').map((node) => node.outputs[0]!);
    const ids = int64(TEXTS.ids, [2, 9]);
    const mask = int64(TEXTS.mask, [2, 9]);
    const wanted = await runGraph(withOutputs(theirs, [last.name, ...softmax.map(({ name }) => name)]), {
      input_0: ids,
      input_1: mask,
    });
    const got = await runGraph(withOutputs(taken(), own), { input_ids: ids, attention_mask: mask });
    // Padding is left out: it has the position of a neighbour here, one of its own there.
    const difference = (name: string, other: string, axis: number) => {
      const [a, b] = [got[name], wanted[other]] as [Tensor, Tensor];
      expect(a.dims).toEqual(b.dims);
      const inner = a.dims.slice(axis + 1).reduce((product, size) => product * size, 1);
      const each = a.data.length / 2;
      return Math.max(
        ...toNumbers(a).map((value, i) => {
          const token = 9 * Math.floor(i / each) + (Math.floor(i / inner) % 9);
          return TEXTS.mask[token] ? Math.abs(value - (toNumbers(b)[i] as number)) : 0;
        }),
      );
    };
    expect(difference(own[3] as string, last.name, 1)).toBeLessThan(2e-6);
    softmax.forEach(({ name }, i) => {
      expect(difference(own[2 * i] as string, name, 2)).toBeLessThan(1e-6);
    });
  });
});

function findInitializer({ initializers }: Graph, part: string): Value {
  return [...initializers.keys()].find(({ name }) => name.includes(part)) as Value;
}

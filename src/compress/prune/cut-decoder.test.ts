import { describe, expect, it } from 'vitest';
import { languageModelConfig } from '../../export/language-model-config.ts';
import type { Graph, Node, Value } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, int64, type Tensor } from '../../onnx/tensor.ts';
import { runGraph } from '../../onnx/testing/run-graph.ts';
import { randomStream } from '../../random.ts';
import type { GivenDecoder } from '../../students/decoder-parts.ts';
import { givenDecoder } from '../../students/given-decoder.ts';
import { buildGpt2 } from '../../students/gpt2.ts';
import { withKeyValueCache } from '../../students/key-value-cache.ts';
import { buildLlama } from '../../students/llama.ts';
import { ParameterMaker } from '../../students/parameters.ts';
import { readDecoder } from '../../students/read-decoder.ts';
import { cutDecoder } from './cut-decoder.ts';

const INPUTS = { vocabularySize: 13, maxLength: 10 };
const FEEDS = {
  input_ids: int64([1, 2, 3, 4, 0, 0, 9, 8], [2, 4]),
  attention_mask: int64([1, 1, 1, 1, 0, 0, 1, 1], [2, 4]),
};

/** Weights that are larger than at the start of a training, so that what is seen makes a difference. */
function loud(graph: Graph): Graph {
  const random = randomStream(2, 'loud');
  const initializers = [...graph.initializers].map(([value, content]): [Value, Tensor] => [
    value,
    /\/(weight|scale|bias)$/.test(value.name)
      ? { ...content, data: (content.data as Float32Array).map((one) => one + 0.3 * random.normal()) }
      : content,
  ]);
  return { ...graph, initializers: new Map(initializers) };
}

const teachers = {
  gpt2: {
    graph: loud(
      buildGpt2(
        { width: 16, heads: 4, layers: 3, feedForward: 24 },
        { ...INPUTS, random: randomStream(1, 'g') },
      ).graph,
    ),
    config: { model_type: 'gpt2', n_head: 4 },
  },
  llama: {
    graph: loud(
      buildLlama(
        { width: 16, heads: 4, keyHeads: 2, layers: 3, feedForward: 24 },
        { ...INPUTS, random: randomStream(1, 'l') },
      ).graph,
    ),
    config: { model_type: 'llama', num_attention_heads: 4, num_key_value_heads: 2, rms_norm_eps: 1e-5 },
  },
} as const;

const read = (kind: keyof typeof teachers, graph: Graph = teachers[kind].graph) =>
  readDecoder(graph, teachers[kind].config, 'config.json');

/** The student that is built of a decoder. */
function built(decoder: GivenDecoder, inputs = INPUTS): Graph {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, randomStream(3, 'drawn'));
  g.output(givenDecoder(g, make, decoder, inputs).causal().unembed(), 'logits');
  return make.finish(g.build('student')).graph;
}

async function logitsOf(graph: Graph): Promise<number[]> {
  const { logits } = await runGraph(graph, FEEDS);
  return [...(logits!.data as Float32Array)];
}

async function expectSame(one: Graph, other: Graph): Promise<void> {
  const [a, b] = [await logitsOf(one), await logitsOf(other)];
  expect(a).toHaveLength(b.length);
  expect(a).toEqual(b.map((value) => expect.closeTo(value, 4)));
}

/** The same model as exporters write it: matrices without names of their own, or as PyTorch keeps them. */
function exported(graph: Graph, form: 'torchscript' | 'dynamo'): Graph {
  const initializers = new Map(graph.initializers);
  let count = 0;
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const [x, weight] = node.inputs;
    const content = weight && initializers.get(weight);
    if (node.opType !== 'MatMul' || !weight || !content || !/_proj\/weight$/.test(weight.name)) return [node];
    initializers.delete(weight);
    const path = weight.name.replace(/\/weight$/, '');
    if (form === 'torchscript') {
      const anonymous: Value = { ...weight, name: `onnx::MatMul_${count++}` };
      initializers.set(anonymous, content);
      return [{ ...node, name: `/model/${path}/MatMul`, inputs: [x!, anonymous] }];
    }
    const [rows, columns] = content.dims as [number, number];
    const turned = Float32Array.from(
      { length: rows * columns },
      (_, i) => (content.data as Float32Array)[(i % rows) * columns + Math.floor(i / rows)]!,
    );
    const kept: Value = {
      name: `model.${path.replaceAll('/', '.')}.weight`,
      type: 'float32',
      shape: [columns, rows],
    };
    initializers.set(kept, float32(turned, [columns, rows]));
    const back: Value = { ...weight, name: `${path}/turned` };
    return [
      {
        ...node,
        name: back.name,
        opType: 'Transpose',
        inputs: [kept],
        outputs: [back],
        attributes: new Map(),
      },
      { ...node, inputs: [x!, back] },
    ];
  });
  return { ...graph, nodes, initializers };
}

describe.each(['gpt2', 'llama'] as const)('a language model that is cut out of a %s', (kind) => {
  it('is the teacher, where nothing is left out', async () => {
    await expectSame(built(cutDecoder(read(kind), { layers: 3 })), teachers[kind].graph);
  });

  it('has the weights of the layers that it keeps', () => {
    const cut = cutDecoder(read(kind), { layers: [0, 2] });
    const whole = read(kind);
    const name = kind === 'gpt2' ? 'mlp/c_fc/weight' : 'mlp/up_proj/weight';
    const layers = kind === 'gpt2' ? 'h' : 'layers';
    expect(cut.sizes.layers).toBe(2);
    expect(cut.weights.get(`${layers}.1/${name}`)).toBe(whole.weights.get(`${layers}.2/${name}`));
    expect(() => cutDecoder(whole, { layers: 4 })).toThrow(
      expect.objectContaining({ where: 'student.layers' }),
    );
  });

  it('keeps keys and values, and is told to readers as it is', async () => {
    const size = kind === 'gpt2' ? { layers: 2, width: 0.5 } : { layers: 2, heads: 2, width: 0.75 };
    const decoder = cutDecoder(read(kind), size);
    const graph = built(decoder);
    const cached = withKeyValueCache(graph);
    const facts = { ...INPUTS, beginId: undefined, endIds: [2], padTokenId: 0, form: decoder.sizes };
    const config = languageModelConfig(kind, { graph, cached }, facts);
    expect(config).toMatchObject(
      kind === 'gpt2'
        ? { n_layer: 2, n_head: 2, n_embd: 8, n_inner: 12, tie_word_embeddings: true }
        : {
            ...{ num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 2, head_dim: 4 },
            ...{ hidden_size: 12, intermediate_size: 18, tie_word_embeddings: true, rms_norm_eps: 1e-5 },
          },
    );
    // What is written is read again, to the same answers.
    const again = readDecoder(graph, config, 'config.json');
    expect(again.sizes).toEqual(decoder.sizes);
    await expectSame(built(again), graph);
  });

  it('leaves out heads that do nothing, to the same answers', async () => {
    const whole = read(kind);
    const silent = new Map(whole.weights);
    const zero = (name: string, isGone: (row: number, column: number) => boolean) => {
      const { dims, data } = silent.get(name)!;
      const columns = dims[1]!;
      const made = (data as Float32Array).map((one, i) =>
        isGone(Math.floor(i / columns), i % columns) ? 0 : one,
      );
      silent.set(name, float32(made, dims));
    };
    // Of each layer heads 1 and 2: of a Llama one of each group.
    const isGone = (number: number) => [1, 2].includes(Math.floor((number % 16) / 4));
    for (let layer = 0; layer < 3; layer++) {
      if (kind === 'gpt2') {
        zero(`h.${layer}/attn/c_proj/weight`, (row) => isGone(row));
        zero(`h.${layer}/attn/c_attn/weight`, (_, column) => isGone(column));
      } else {
        zero(`layers.${layer}/self_attn/o_proj/weight`, (row) => isGone(row));
        zero(`layers.${layer}/self_attn/q_proj/weight`, (_, column) => isGone(column));
      }
    }
    const quiet = { ...whole, weights: silent };
    if (kind === 'gpt2') {
      const cut = cutDecoder(quiet, { layers: 3, heads: 2 });
      // The hidden states are as wide as the heads: what they keep is another thing.
      expect(cut.weights.get('h.0/attn/c_attn/weight')?.dims).toEqual([8, 24]);
      expect(() => cutDecoder(quiet, { layers: 3, heads: 2, width: 0.75 })).toThrow(
        expect.objectContaining({ where: 'student.width, of kind: cut' }),
      );
      return;
    }
    const cut = cutDecoder(quiet, { layers: 3, heads: 2 });
    expect(cut.sizes).toMatchObject({ heads: 2, keyHeads: 2, width: 16 });
    await expectSame(built(cut), built(quiet));
  });
});

it('keeps whole groups where the heads are no multiple of those of keys', () => {
  const options = { width: 24, heads: 6, keyHeads: 3, layers: 1 };
  const { graph } = buildLlama(options, { ...INPUTS, random: randomStream(1, 'groups') });
  const config = { model_type: 'llama', num_attention_heads: 6, num_key_value_heads: 3 };
  const decoder = readDecoder(graph, config, 'config.json');
  expect(cutDecoder(decoder, { layers: 1, heads: 4 }).sizes).toMatchObject({ heads: 4, keyHeads: 2 });
  expect(cutDecoder(decoder, { layers: 1, heads: 3 }).sizes).toMatchObject({ heads: 3, keyHeads: 3 });
  expect(() => cutDecoder(decoder, { layers: 1, heads: 5 })).toThrow(
    expect.objectContaining({
      remedy: expect.stringContaining('a multiple of 3 (from each group as many) or of 2'),
    }),
  );
});

it('keeps the channels of the largest weights, the same ones in every weight', () => {
  const whole = read('llama');
  const faint = new Map(
    [...whole.weights].map(([name, content]): [string, Tensor] => {
      if (name !== 'embed_tokens/weight') return [name, content];
      const data = (content.data as Float32Array).map((one, i) => (i % 16 < 8 ? one : one * 1e-3));
      return [name, float32(data, content.dims)];
    }),
  );
  const cut = cutDecoder({ ...whole, weights: faint }, { layers: 1, width: 0.25 });
  const table = cut.weights.get('embed_tokens/weight')!;
  expect(table.dims).toEqual([13, 4]);
  const columns = Array.from(table.data.slice(0, 4) as Float32Array, (one) =>
    [...(faint.get('embed_tokens/weight')!.data.slice(0, 16) as Float32Array)].indexOf(one),
  );
  const norm = [...(cut.weights.get('norm/weight')!.data as Float32Array)];
  expect(norm).toEqual(columns.map((column) => whole.weights.get('norm/weight')!.data[column]));
  expect(cut.weights.get('layers.0/self_attn/k_proj/weight')?.dims).toEqual([4, 8]);
});

describe('a teacher of another exporter', () => {
  it.each(['torchscript', 'dynamo'] as const)('is read by the names of its modules: %s', async (form) => {
    const graph = exported(teachers.llama.graph, form);
    await expectSame(graph, teachers.llama.graph);
    await expectSame(built(read('llama', graph)), teachers.llama.graph);
  });

  it('may have a table of its own for logits, more rows than tokens, and other constants', async () => {
    const whole = read('llama');
    const random = randomStream(4, 'head');
    const own = float32(
      Float32Array.from({ length: 15 * 16 }, () => random.normal()),
      [15, 16],
    );
    const table = whole.weights.get('embed_tokens/weight')!;
    const rows = float32([...(table.data as Float32Array), ...new Array<number>(32).fill(9)], [15, 16]);
    const untied: GivenDecoder = {
      ...whole,
      sizes: { ...whole.sizes, tied: false, theta: 500_000, epsilon: 1e-6 },
      weights: new Map([...whole.weights, ['lm_head/weight', own], ['embed_tokens/weight', rows]]),
    };
    const wide = built(untied, { vocabularySize: 15, maxLength: 10 });
    const config = { ...teachers.llama.config, rms_norm_eps: 1e-6, rope_theta: 500_000 };
    const again = readDecoder(wide, config, 'config.json');
    expect(again.sizes).toEqual(untied.sizes);
    const student = built(again);
    const [all, some] = [await logitsOf(wide), await logitsOf(student)];
    expect(some).toEqual(all.filter((_, i) => i % 15 < 13).map((value) => expect.closeTo(value, 4)));
  });

  it('is refused for what cannot be built', () => {
    const refusals: [object, string][] = [
      [{ model_type: 'bert' }, 'model_type'],
      [{ ...teachers.llama.config, attention_bias: true }, 'attention_bias'],
      [{ ...teachers.llama.config, rope_scaling: { rope_type: 'yarn' } }, 'rope_scaling.rope_type'],
      [{ ...teachers.llama.config, num_attention_heads: 3 }, 'heads of'],
    ];
    for (const [config, part] of refusals)
      expect(() => readDecoder(teachers.llama.graph, config, 'config.json')).toThrow(
        expect.objectContaining({ code: 'recipe.invalid', message: expect.stringContaining(part) }),
      );
    expect(() => read('gpt2', teachers.llama.graph)).toThrow(/no weight wte\/weight/);
  });
});

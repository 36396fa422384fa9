import { describe, expect, it } from 'vitest';
import { findDependencies } from '../compress/channels/dependency-groups.ts';
import { removeUnits } from '../compress/channels/remove-units.ts';
import { factorized } from '../compress/low-rank/factorize.ts';
import type { Graph } from '../onnx/graph.ts';
import { randomStream } from '../random.ts';
import { buildGpt2 } from '../students/gpt2.ts';
import { withKeyValueCache } from '../students/key-value-cache.ts';
import { buildLlama } from '../students/llama.ts';
import type { Student } from '../students/student.ts';
import { type DecoderArchitecture, languageModelConfig } from './language-model-config.ts';

const context = { vocabularySize: 13, maxLength: 10, random: randomStream(1, 'decoder') };
const FACTS = { vocabularySize: 13, maxLength: 10, beginId: undefined, endIds: [2], padTokenId: 0 };
const config = (architecture: DecoderArchitecture, graph: Graph) =>
  languageModelConfig(architecture, { graph, cached: withKeyValueCache(graph) }, FACTS);

const decoders: readonly (readonly [DecoderArchitecture, Student, Record<string, unknown>])[] = [
  [
    'gpt2',
    buildGpt2({ width: 16, heads: 4, layers: 2, feedForward: 40 }, context),
    { n_layer: 2, n_head: 4, n_embd: 16, n_inner: 40, n_positions: 10, eos_token_id: 2, bos_token_id: 2 },
  ],
  [
    'llama',
    buildLlama({ width: 16, heads: 4, keyHeads: 2, layers: 2, feedForward: 40 }, context),
    {
      ...{ num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 4 },
      ...{ hidden_size: 16, intermediate_size: 40, max_position_embeddings: 10, pad_token_id: 0 },
    },
  ],
];

describe.each(decoders)('config.json of %s', (architecture, student, sizes) => {
  it('has the sizes of the decoder, whole or with its matrices in two factors', () => {
    const whole = config(architecture, student.graph);
    expect(whole).toMatchObject(sizes);
    const factors = factorized(student, 0.3, { where: 'compress[0]' });
    expect(factors.layers.some(({ name }) => name.includes('mlp'))).toBe(true);
    expect(config(architecture, factors.student.graph)).toEqual(whole);
  });
});

it('is refused where layers keep different numbers of heads', () => {
  const [, student] = decoders[0]!;
  const dependencies = findDependencies(student);
  const group = dependencies.groups.find(({ units }) =>
    units[0]?.parts.some(({ indices }) => indices.length > 1),
  );
  const ids = new Set([group!.units[0]!.id]);
  const { graph } = removeUnits(student, dependencies, ids);
  expect(() => config('gpt2', graph)).toThrow(
    expect.objectContaining({ code: 'export.no-cache', where: expect.stringContaining('heads of') }),
  );
});

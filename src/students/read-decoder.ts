import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { type Graph, intAttribute, intsAttribute, type Node, type Value } from '../onnx/graph.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import type { DecoderKind, DecoderSizes, GivenDecoder } from './decoder-parts.ts';

const size = z.int().positive();
const epsilon = z.number().positive();

/** What a `config.json` of transformers says of GPT-2, with the defaults that transformers has. */
const gpt2Config = z.object({
  model_type: z.literal('gpt2'),
  n_head: size.default(12),
  layer_norm_epsilon: epsilon.default(1e-5),
  activation_function: z.enum(['gelu_new', 'gelu_pytorch_tanh', 'gelu_fast']).default('gelu_new'),
  scale_attn_weights: z.literal(true).default(true),
  scale_attn_by_inverse_layer_idx: z.literal(false).default(false),
});

const rope = z.object({
  rope_theta: z.number().positive().optional(),
  rope_type: z.literal('default').optional(),
});

/** The same of Llama. */
const llamaConfig = z.object({
  model_type: z.literal('llama'),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.literal('silu').default('silu'),
  rms_norm_eps: epsilon.default(1e-6),
  rope_theta: z.number().positive().optional(),
  rope_parameters: rope.nullish(),
  rope_scaling: rope.nullish(),
  attention_bias: z.literal(false).default(false),
  mlp_bias: z.literal(false).default(false),
});

const config = z.discriminatedUnion('model_type', [gpt2Config, llamaConfig]);

/**
 * The decoder in a model that was exported of transformers' GPT-2 or Llama, or that Limbeck wrote: its sizes, and its weights
 * under the names that students of its kind have. Weights are found by their names, which exporters make of the modules', or by the
 * names of the nodes that multiply by them.
 *
 * @param json the content of its `config.json`, which alone says how many heads there are
 * @throws LimbeckError `recipe.invalid` for another model, or one whose weights cannot be found or are not float32
 */
export function readDecoder(graph: Graph, json: unknown, where: string): GivenDecoder {
  const parsed = config.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refused(
      `its config.json is not of a GPT-2 or a Llama that can be built here (${issue?.path.join('.') || 'content'}: ${issue?.message})`,
      where,
    );
  }
  const reader = new WeightReader(graph, where);
  const facts = parsed.data;
  return facts.model_type === 'gpt2' ? readGpt2(reader, facts) : readLlama(reader, facts);
}

function readGpt2(reader: WeightReader, facts: z.output<typeof gpt2Config>): GivenDecoder {
  const weights = new Map<string, Tensor>();
  const take = (name: string, content = reader.require(name)) => weights.set(name, content);
  const norm = (name: string) => {
    take(`${name}/scale`, reader.require(`${name}/scale`, `${name}/weight`));
    take(`${name}/bias`);
  };
  take('wte/weight', reader.table('wte/weight'));
  take('wpe/weight', reader.table('wpe/weight'));
  const layers = reader.count((layer) => `h.${layer}/attn/c_attn/weight`);
  for (let layer = 0; layer < layers; layer++) {
    const scope = `h.${layer}`;
    norm(`${scope}/ln_1`);
    norm(`${scope}/ln_2`);
    for (const part of ['attn/c_attn', 'attn/c_proj', 'mlp/c_fc', 'mlp/c_proj'])
      for (const one of ['weight', 'bias']) take(`${scope}/${part}/${one}`);
  }
  norm('ln_f');
  const tied = reader.isTied('wte/weight');
  if (!tied) take('lm_head/weight', reader.unembedding());
  const width = weights.get('wte/weight')?.dims[1] as number;
  const heads = facts.n_head;
  return reader.checked('gpt2', weights, {
    ...{ width, layers, heads, keyHeads: heads, headSize: width / heads, tied },
    feedForward: weights.get('h.0/mlp/c_fc/weight')?.dims[1] as number,
    epsilon: facts.layer_norm_epsilon,
  });
}

function readLlama(reader: WeightReader, facts: z.output<typeof llamaConfig>): GivenDecoder {
  const weights = new Map<string, Tensor>();
  const take = (name: string, content = reader.require(name)) => weights.set(name, content);
  take('embed_tokens/weight', reader.table('embed_tokens/weight'));
  const layers = reader.count((layer) => `layers.${layer}/self_attn/q_proj/weight`);
  for (let layer = 0; layer < layers; layer++) {
    const scope = `layers.${layer}`;
    for (const part of ['input_layernorm', 'post_attention_layernorm']) take(`${scope}/${part}/weight`);
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'o_proj']) take(`${scope}/self_attn/${part}/weight`);
    for (const part of ['gate_proj', 'up_proj', 'down_proj']) take(`${scope}/mlp/${part}/weight`);
  }
  take('norm/weight');
  const tied = reader.isTied('embed_tokens/weight');
  if (!tied) take('lm_head/weight', reader.unembedding());
  const width = weights.get('embed_tokens/weight')?.dims[1] as number;
  const heads = facts.num_attention_heads;
  return reader.checked('llama', weights, {
    ...{ width, layers, heads, tied },
    keyHeads: facts.num_key_value_heads ?? heads,
    headSize: facts.head_dim ?? width / heads,
    feedForward: weights.get('layers.0/mlp/gate_proj/weight')?.dims[1] as number,
    epsilon: facts.rms_norm_eps,
    theta: facts.rope_theta ?? facts.rope_parameters?.rope_theta ?? 10_000,
  });
}

/** Finds the weights of a decoder by the paths of transformers' modules. */
class WeightReader {
  readonly #where: string;
  readonly #initializers: ReadonlyMap<Value, Tensor>;
  /** By paths: of each weight its name, of each node that multiplies by a weight its own. */
  readonly #named = new Map<string, Value>();
  readonly #readers = new Map<Value, Node>();

  constructor({ nodes, initializers }: Graph, where: string) {
    this.#where = where;
    this.#initializers = initializers;
    for (const [value] of initializers) this.#note(value.name, value);
    for (const node of nodes) {
      const weight = node.inputs.find(
        (value, i) => value && (i === 1 || node.opType === 'Transpose') && initializers.has(value),
      );
      if (!weight) continue;
      this.#readers.set(weight, node);
      if (node.opType === 'MatMul' || node.opType === 'Gemm')
        this.#note(`${pathOf(node.name).replace(/\/(MatMul|Gemm)(_\d+)?$/, '')}/weight`, weight);
    }
  }

  /** The weight of the first of some names that there is; of a matrix as [inputs, outputs]. @throws LimbeckError `recipe.invalid` */
  require(...names: readonly string[]): Tensor {
    const found = this.#find(names);
    if (!found) throw refused(`it has no weight ${names[0]}`, this.#where);
    return found;
  }

  /** A table of rows that are looked up, whatever else multiplies by it. @throws LimbeckError `recipe.invalid` */
  table(name: string): Tensor {
    const value = this.#value(name);
    if (!value) throw refused(`it has no weight ${name}`, this.#where);
    return this.#content(value);
  }

  /** How many layers there are. */
  count(weight: (layer: number) => string): number {
    let layers = 0;
    while (this.#find([weight(layers)])) layers++;
    return layers;
  }

  /** Whether logits come from the table of tokens: exporters write it once, or turned into a matrix of its own. */
  isTied(table: string): boolean {
    const own = this.#find(['lm_head/weight']);
    if (!own) return true;
    const tokens = this.table(table);
    const other = this.unembedding();
    return (
      `${tokens.dims}` === `${other.dims}` &&
      (tokens.data as Float32Array).every((value, i) => value === other.data[i])
    );
  }

  /** The table of logits, [vocabulary, width]. */
  unembedding(): Tensor {
    const content = this.table('lm_head/weight');
    const value = this.#value('lm_head/weight') as Value;
    // As it stands where it is turned on the way, or by the product.
    return this.#isTurned(value) ? content : transposed(content);
  }

  /** @throws LimbeckError `recipe.invalid` where the sizes of weights are not those of such a decoder */
  checked(kind: DecoderKind, weights: ReadonlyMap<string, Tensor>, sizes: DecoderSizes): GivenDecoder {
    const { width, layers, heads, keyHeads, headSize, feedForward } = sizes;
    if (layers === 0) throw refused('it has no layers', this.#where);
    const all = heads * headSize;
    const wanted: Readonly<Record<string, readonly number[]>> =
      kind === 'gpt2'
        ? { 'attn/c_attn': [width, 3 * all], 'attn/c_proj': [all, width], 'mlp/c_fc': [width, feedForward] }
        : {
            'self_attn/q_proj': [width, all],
            'self_attn/k_proj': [width, keyHeads * headSize],
            'self_attn/o_proj': [all, width],
            'mlp/up_proj': [width, feedForward],
            'mlp/down_proj': [feedForward, width],
          };
    for (let layer = 0; layer < layers; layer++)
      for (const [part, dims] of Object.entries(wanted)) {
        const name = `${kind === 'gpt2' ? 'h' : 'layers'}.${layer}/${part}/weight`;
        const own = weights.get(name)?.dims;
        if (`${own}` === `${dims}`) continue;
        throw refused(
          `${name} has the sizes [${own?.join(', ')}], and ${heads} heads of ${headSize} want [${dims.join(', ')}]`,
          this.#where,
        );
      }
    return { kind, sizes, weights };
  }

  #note(name: string, value: Value): void {
    const path = pathOf(name);
    if (!this.#named.has(path)) this.#named.set(path, value);
  }

  #value(name: string): Value | undefined {
    const path = pathOf(name);
    const exact = this.#named.get(path);
    if (exact) return exact;
    for (const [own, value] of this.#named) if (own.endsWith(`/${path}`)) return value;
    return undefined;
  }

  #find(names: readonly string[]): Tensor | undefined {
    const value = names.map((name) => this.#value(name)).find(Boolean);
    if (!value) return undefined;
    const content = this.#content(value);
    return content.dims.length === 2 && this.#isTurned(value) ? transposed(content) : content;
  }

  #content(value: Value): Tensor {
    const content = this.#initializers.get(value) as Tensor;
    if (content.type === 'float32') return content;
    throw refused(`its weight ${value.name} is ${content.type}, not float32`, this.#where);
  }

  /** Whether a matrix lies as [outputs, inputs], as PyTorch has it. */
  #isTurned(value: Value): boolean {
    const reader = this.#readers.get(value);
    if (reader?.opType === 'Gemm') return intAttribute(reader, 'transB', 0) === 1;
    return reader?.opType === 'Transpose' && `${intsAttribute(reader, 'perm') ?? [1, 0]}` === '1,0';
  }
}

/** Names as paths: exporters divide them by dots, we by slashes. */
function pathOf(name: string): string {
  return name.replaceAll('.', '/').replace(/^\/+/, '');
}

function transposed({ dims, data }: Tensor): Tensor {
  const [rows, columns] = dims as [number, number];
  const turned = new Float32Array(data.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      turned[c * rows + r] = (data as Float32Array)[r * columns + c] as number;
  return float32(turned, [columns, rows]);
}

function refused(problem: string, where: string): LimbeckError {
  return new LimbeckError('recipe.invalid', `no language model can be cut out of the teacher: ${problem}`, {
    where: `student.kind: cut, from ${where}`,
    remedy: 'Take a float32 export of a GPT-2 or a Llama with its config.json, or a student gpt2 or llama.',
  });
}

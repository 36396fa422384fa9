import { LimbeckError } from '../errors.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { LOGITS, SENTENCE_EMBEDDING } from './teacher-source.ts';

/** A classifier over embeddings of width D: linear, or with one hidden layer of width H before it. */
export interface ClassifierHead {
  /** float32 [D, C]; with a hidden layer [H, C]. */
  readonly weight: Tensor;
  /** float32 [C]. */
  readonly bias: Tensor;
  /** weight [D, H], bias [H], and what follows it (tanh). */
  readonly hidden?: { readonly weight: Tensor; readonly bias: Tensor; readonly activation?: 'tanh' | 'relu' };
}

/**
 * The encoder with a head on its output `embeddingOutput`: outputs `logits`, float32 [batch, classes], and the
 * embedding, and those of `keep`. The head's parameters are the initializers `head/weight`, `head/bias`, `head/hidden/weight`,
 * `head/hidden/bias`, by which names a head is also trained on its own.
 *
 * @throws LimbeckError `teacher.operator` when the encoder has an operator whose shapes we cannot infer.
 */
export function attachHead(
  encoder: Graph,
  head: ClassifierHead,
  embeddingOutput: string = SENTENCE_EMBEDDING,
  output: string = LOGITS,
  keep: readonly string[] = [],
): Graph {
  return onEncoder(encoder, { embeddingOutput, output, keep }, (g, embedding) =>
    classify(g, embedding, head, output === LOGITS ? 'head' : `head/${output}`),
  );
}

/**
 * The encoder with a graph on its output `embeddingOutput`, whose input is `embedding` and whose output is `output`: the
 * encoder's other outputs stay.
 *
 * @throws LimbeckError `teacher.operator` as `attachHead`
 */
export function attachGraph(
  encoder: Graph,
  head: Graph,
  embeddingOutput: string,
  output: string,
  keep: readonly string[] = [],
): Graph {
  return onEncoder(encoder, { embeddingOutput, output, keep }, (g, embedding) => {
    const values = g.inline(head, new Map([['embedding', embedding]]), `head/${output}`);
    return g.identity(values.get(output) as TypedValue);
  });
}

function onEncoder(
  encoder: Graph,
  {
    embeddingOutput,
    output,
    keep,
  }: { readonly embeddingOutput: string; readonly output: string; readonly keep: readonly string[] },
  body: (g: GraphBuilder, embedding: TypedValue) => TypedValue,
): Graph {
  const g = new GraphBuilder(encoder.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of encoder.inputs) {
    if (!type || !shape) throw new Error(`input ${name} of the encoder has no type or shape`);
    bound.set(name, g.input(name, type, shape));
  }
  const values = inlined(g, encoder, bound);
  const embedding = encoder.outputs.some((output) => output.name === embeddingOutput)
    ? values.get(embeddingOutput)
    : undefined;
  if (!embedding) throw new Error(`the encoder has no output ${embeddingOutput}`);
  g.output(body(g, embedding), output);
  g.output(embedding);
  for (const name of keep) g.output(values.get(name) as TypedValue);
  for (const [key, value] of encoder.metadata) g.setMetadata(key, value);
  return g.build(encoder.name);
}

/** `inline`, told for the person whose model it is. */
function inlined(
  g: GraphBuilder,
  encoder: Graph,
  bound: ReadonlyMap<string, TypedValue>,
): Map<string, TypedValue> {
  try {
    return g.inline(encoder, bound);
  } catch (cause) {
    throw new LimbeckError('teacher.operator', 'a head cannot be put on this encoder', {
      where: (cause as Error).message,
      remedy: 'Use a model that has logits already (train: none), or export it with standard operators.',
      cause,
    });
  }
}

function classify(g: GraphBuilder, embedding: TypedValue, head: ClassifierHead, scope: string): TypedValue {
  return g.scope(scope, () => {
    let features = embedding;
    if (head.hidden) {
      const { weight, bias, activation = 'tanh' } = head.hidden;
      const before = layer(g, features, 'hidden/', weight, bias);
      features = activation === 'relu' ? g.relu(before) : g.tanh(before);
    }
    return layer(g, features, '', head.weight, head.bias);
  });
}

function layer(g: GraphBuilder, x: TypedValue, prefix: string, weight: Tensor, bias: Tensor): TypedValue {
  const [inputs, outputs] = weight.dims;
  if (weight.dims.length !== 2 || inputs !== x.shape[1] || bias.dims.join() !== `${outputs}`) {
    const given = `weight ${formatShape(weight.dims)} and bias ${formatShape(bias.dims)}`;
    throw new Error(`head: ${given} do not fit on ${x.name} ${formatShape(x.shape)}`);
  }
  return g.gemm(x, g.initializer(`${prefix}weight`, weight), g.initializer(`${prefix}bias`, bias));
}

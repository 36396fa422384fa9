import { LimbeckError } from '../../errors.ts';
import type { ModelAnatomy, ModelLayer } from '../../onnx/anatomy/anatomy.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { tensor } from '../../onnx/tensor.ts';
import { type InnerKnowledge, meant } from '../../targets/inner/inner-knowledge.ts';
import type { KnowledgeRequest, TeacherGraph } from '../../teachers/knowledge-request.ts';
import { GRID, partsOfLine, REGIONS, regionsOfPatches, TIME_PARTS } from './region-grid.ts';

/** What attributions of one batch are called: outputs of the tapped teacher. */
const tapOf = {
  logits: 'attribution/logits',
  input: 'attribution/input',
  places: (layer: number) => `attribution/layer_${layer}/places`,
  update: (layer: number) => `attribution/layer_${layer}/update`,
  units: (layer: number) => `attribution/layer_${layer}/units`,
};

/** The attributions of a layer, with their signs; P places are the tokens of a text or the regions of an image. */
export interface LayerAttributions {
  /** Of what the layer hands on: [n, P]. */
  readonly places?: Float32Array;
  /** Of what the layer added to what it was given: [n, P]. */
  readonly update?: Float32Array;
  /** Of its heads or channels: [n, units, P]. */
  readonly units?: Float32Array;
}

/** What the teacher's graph told of a batch. */
export interface Attributions {
  /** What the node of an answer is chosen by, [n, classes]; [n, 1] of answers without classes. */
  readonly logits: Float32Array;
  /** Of the embeddings, pixels or waveform: [n, P]. */
  readonly input?: Float32Array;
  readonly layers: readonly LayerAttributions[];
}

/** What is asked of a teacher for its knowledge graph, and how its answers are read. */
export interface AttributionQuestions {
  readonly requests: readonly KnowledgeRequest[];
  read(answers: Readonly<Record<string, Float32Array>>): Attributions;
}

/** A layer's heads or channels, and what they are. */
export function unitsOf({
  attention,
  features,
}: ModelLayer): { kind: 'head' | 'channel'; count: number } | null {
  if (attention) return { kind: 'head', count: attention.heads };
  return features ? { kind: 'channel', count: features.channels } : null;
}

/**
 * Attributions to what the teacher decides, y (the logit of the class that it chooses; of other answers `InnerKnowledge.score`),
 * summed over width, queries or pixels in the teacher's own graph, so that no map leaves it:
 * - heads: relu(dy/dA * A), summed over the queries (Chefer, Gur and Wolf, "Generic Attention-model Explainability",
 *   2021, equation 5, before the mean over heads; Barkan et al., "Grad-SAM", 2021, equation 5);
 * - channels: dy/da * a by region (Molchanov et al., "Pruning Convolutional Neural Networks for Resource Efficient
 *   Inference", 2017, equation 7, without the absolute value that follows);
 * - hidden states, embeddings and pixels: dy/dx * x (Shrikumar et al., "Learning Important Features Through Propagating
 *   Activation Differences", 2017, section 2); what a layer added is the difference to the layer before.
 *
 * Layers with nothing that can be placed (no hidden state, attention or feature map) are asked for nothing.
 */
export function attributionQuestions(
  anatomy: ModelAnatomy,
  unit: 'texts' | 'images' | 'clips',
  about: AskedAnswers,
): AttributionQuestions {
  const names = anatomy.layers.flatMap(({ hidden, attention, features }) =>
    [hidden?.name, attention?.probabilities, features?.name].filter((name) => name !== undefined),
  );
  if (anatomy.features) names.push(anatomy.features);
  const requests: KnowledgeRequest[] = [];
  const ask = (tap: string, build: KnowledgeRequest['build']) => requests.push({ tap, build });
  const slopes = sharedGradients(about, [...new Set(names)]);
  const product = (g: GraphBuilder, teacher: TeacherGraph, name: string, of = teacher.value(name)) =>
    g.mul(slopes(g, teacher, name), of);
  const placed = (g: GraphBuilder, x: TypedValue) =>
    unit === 'images' ? regionsOfTokens(g, x) : unit === 'clips' ? partsOfTime(g, x) : x;

  ask(tapOf.logits, (g, teacher) => classScores(g, teacher, about));
  const { features: input } = anatomy;
  if (input) {
    ask(tapOf.input, (g, teacher) => {
      const x = product(g, teacher, input);
      if (x.shape.length === 2) return partsOfTime(g, x);
      return x.shape.length === 4 ? regionsOfPixels(g, sumOver(g, x, 1)) : placed(g, sumOver(g, x, 2));
    });
  }
  anatomy.layers.forEach(({ hidden, attention, features }, index) => {
    if (hidden) {
      const { name, width } = hidden;
      const before = index > 0 ? anatomy.layers[index - 1]?.hidden : input ? { name: input } : undefined;
      ask(tapOf.places(index), (g, teacher) => placed(g, sumOver(g, product(g, teacher, name), 2)));
      ask(tapOf.update(index), (g, teacher) => {
        const given = before && teacher.value(before.name);
        const after = teacher.value(name);
        const fits =
          given?.shape.length === 3 && given.shape[2] === width && given.shape[1] === after.shape[1];
        return placed(g, sumOver(g, product(g, teacher, name, fits ? g.sub(after, given) : after), 2));
      });
    }
    if (attention) {
      const { probabilities } = attention;
      ask(tapOf.units(index), (g, teacher) =>
        placed(g, sumOver(g, g.relu(product(g, teacher, probabilities)), 2)),
      );
    } else if (features) {
      const { name } = features;
      ask(tapOf.units(index), (g, teacher) => regionsOfPixels(g, product(g, teacher, name)));
    }
  });
  return {
    requests,
    read: (answers) => ({
      logits: answers[tapOf.logits] as Float32Array,
      input: answers[tapOf.input],
      layers: anatomy.layers.map((_, index) => ({
        places: answers[tapOf.places(index)],
        update: answers[tapOf.update(index)],
        units: answers[tapOf.units(index)],
      })),
    }),
  };
}

/** The teacher's answers that are asked about. */
export interface AskedAnswers {
  readonly inner: InnerKnowledge;
  /** float32 [batch, ...] */
  of(g: GraphBuilder, teacher: TeacherGraph): TypedValue;
}

/** What the nodes of answers are chosen by: float32 [batch, classes], or zeros [batch, 1] where there is one node for all. */
function classScores(g: GraphBuilder, teacher: TeacherGraph, { inner, of }: AskedAnswers): TypedValue {
  const answers = of(g, teacher);
  if (inner.classScores) return inner.classScores(g, answers, { mask: maskOf(g, teacher, answers) });
  const axes = answers.shape.slice(1).map((_, i) => i + 1);
  return g.unsqueeze(g.reduceSum(g.mul(answers, 0), { axes, keepDims: false }), [1]);
}

/** The mask of the tokens that answers are about, where they are about tokens. */
function maskOf(g: GraphBuilder, teacher: TeacherGraph, { shape }: TypedValue): TypedValue | undefined {
  if (shape.length !== 3 || !teacher.has(ATTENTION_MASK)) return undefined;
  const mask = teacher.value(ATTENTION_MASK);
  return mask.shape[1] === shape[1] ? g.cast(mask, 'float32') : undefined;
}

const ATTENTION_MASK = 'attention_mask';

/** d y / d x for every x, by one backward pass that all requests share. */
function sharedGradients({ inner, of }: AskedAnswers, names: readonly string[]) {
  const score = meant(inner.score);
  if (!score) throw new Error('a knowledge graph is drawn of answers that have reasons');
  const known = new WeakMap<TeacherGraph, ReadonlyMap<string, TypedValue>>();
  return (g: GraphBuilder, teacher: TeacherGraph, name: string): TypedValue => {
    let slopes = known.get(teacher);
    if (!slopes) {
      const answers = of(g, teacher);
      const scores = score(g, { answers, teacher: answers, mask: maskOf(g, teacher, answers) });
      const found = teacher.gradients(scores, names);
      slopes = new Map(names.map((one, index) => [one, found[index] as TypedValue]));
      known.set(teacher, slopes);
    }
    return slopes.get(name) as TypedValue;
  };
}

/** [B, ..., frames or samples] as [B, ..., TIME_PARTS]. */
function partsOfTime(g: GraphBuilder, x: TypedValue): TypedValue {
  const length = x.shape.at(-1);
  if (typeof length !== 'number') {
    throw new LimbeckError('recipe.invalid', 'the teacher does not say how many frames it makes of a clip', {
      where: 'knowledge.graph',
      remedy: 'Export the teacher for clips of one length, or leave the graph out.',
    });
  }
  const parts = partsOfLine(length, TIME_PARTS);
  return g.matMul(x, g.transpose(g.constant(tensor('float32', [TIME_PARTS, length], parts)), [1, 0]));
}

function sumOver(g: GraphBuilder, x: TypedValue, axis: number): TypedValue {
  return g.reduceSum(x, { axes: [axis], keepDims: false });
}

/** [B, ..., height, width] as [B, ..., REGIONS]. */
function regionsOfPixels(g: GraphBuilder, x: TypedValue): TypedValue {
  const [height, width] = x.shape.slice(-2).map(Number) as [number, number];
  const rows = g.constant(tensor('float32', [GRID, height], partsOfLine(height)));
  const columns = g.transpose(g.constant(tensor('float32', [GRID, width], partsOfLine(width))), [1, 0]);
  const cells = g.matMul(g.matMul(rows, x), columns);
  const before = x.shape.slice(0, -2).map((dim, axis) => (axis === 0 ? 0 : Number(dim)));
  return g.reshape(cells, [...before, REGIONS]);
}

/** [B, ..., tokens] as [B, ..., REGIONS]. */
function regionsOfTokens(g: GraphBuilder, x: TypedValue): TypedValue {
  const tokens = x.shape.at(-1);
  if (typeof tokens === 'number')
    return g.matMul(x, g.constant(tensor('float32', [tokens, REGIONS], regionsOfPatches(tokens))));
  const evenly = g.constant(tensor('float32', [REGIONS], new Float32Array(REGIONS).fill(1 / REGIONS)));
  return g.mul(g.reduceSum(x, { axes: [x.shape.length - 1] }), evenly);
}

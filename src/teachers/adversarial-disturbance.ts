import { gradients } from '../autodiff/gradients.ts';
import { stopGradient } from '../autodiff/stop-gradient.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import type { KnowledgeRequest, TeacherGraph } from './knowledge-request.ts';
import { LOGITS, PIXEL_VALUES } from './teacher-source.ts';

export interface AttackOptions {
  /** One step of the whole size, or several smaller ones. */
  readonly method: 'fgsm' | 'pgd';
  /** The largest change of a pixel, where black is 0 and white is 1. */
  readonly epsilon: number;
  /** Of `pgd`. */
  readonly steps: number;
  /** Mean and deviation of each channel, by which pixels were normalised. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/**
 * What pushes a picture towards the nearest decision boundary of the teacher: the sign of the gradient of the second
 * class's logit less the first's, float32 [batch, channels, height, width], in normalised pixels. Pictures stay between
 * black and white.
 *
 * `fgsm`: Goodfellow et al., "Explaining and Harnessing Adversarial Examples" (2015), section 4. `pgd`: Madry et al.,
 * "Towards Deep Learning Models Resistant to Adversarial Attacks" (2018), section 2.1, from the picture itself, with steps
 * of 2.5 epsilon / steps.
 */
export function adversarialDisturbance(options: AttackOptions): KnowledgeRequest {
  const { method, epsilon, mean, deviation } = options;
  const steps = method === 'fgsm' ? 1 : options.steps;
  const tap = `adversarial/${method}-${epsilon}${method === 'pgd' ? `-${steps}` : ''}`;
  return {
    tap,
    build(g, teacher) {
      const channels = (of: (channel: number) => number) =>
        g.constant(
          float32(
            mean.map((_, channel) => of(channel)),
            [1, mean.length, 1, 1],
          ),
        );
      const reach = channels((c) => epsilon / (deviation[c] as number));
      const black = channels((c) => (0 - (mean[c] as number)) / (deviation[c] as number));
      const white = channels((c) => (1 - (mean[c] as number)) / (deviation[c] as number));
      const size = method === 'fgsm' ? reach : g.mul(reach, 2.5 / steps);
      const picture = teacher.value(PIXEL_VALUES);
      const classes = topTwo(g, teacher.value(LOGITS));
      let attacked = picture;
      for (let step = 0; step < steps; step++) {
        const from = step === 0 ? picture : stopGradient(g, attacked);
        const logits = step === 0 ? teacher.value(LOGITS) : again(teacher, from);
        const [slope] = gradients(g, lead(g, logits, classes), [from]);
        const moved = slope ? g.add(from, g.mul(g.op('Sign', [slope]), size)) : from;
        const near = g.min(g.max(moved, g.sub(picture, reach)), g.add(picture, reach));
        attacked = g.min(g.max(near, black), white);
      }
      return g.sub(attacked, picture);
    },
  };
}

function again(teacher: TeacherGraph, picture: TypedValue): TypedValue {
  return teacher.rerun(new Map([[PIXEL_VALUES, picture]]))(LOGITS);
}

/** The first two classes of each row: int64 [batch, 2]. */
function topTwo(g: GraphBuilder, logits: TypedValue): TypedValue {
  return g.node('TopK', [logits, g.ints([2])], { axis: 1 }, { outputs: 2 })[1] as TypedValue;
}

/** By how much the second class leads the first, summed over the batch: every row has its own slope. */
function lead(g: GraphBuilder, logits: TypedValue, classes: TypedValue): TypedValue {
  const two = g.gatherElements(logits, classes, 1);
  const difference = g.sub(g.slice(two, 1, 1, 2), g.slice(two, 1, 0, 1));
  return g.reduceSum(difference, { keepDims: false });
}

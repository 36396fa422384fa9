import { gradients } from '../autodiff/gradients.ts';
import { stopGradient } from '../autodiff/stop-gradient.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { float32 } from '../onnx/tensor.ts';
import { type DecisionBoundary, meant } from '../targets/inner/inner-knowledge.ts';
import { ONE_CLASS } from '../targets/inner/one-class.ts';
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
  /** The teacher's output whose boundary it is; `logits` when absent. */
  readonly output?: string;
  /** How far its answers are from the boundary; that of one class when absent. */
  readonly margin?: DecisionBoundary['margin'];
}

const CLASS_BOUNDARY = meant(ONE_CLASS.boundary) as DecisionBoundary;

/**
 * What pushes an image towards the nearest decision boundary of the teacher: the sign of the gradient of the margin, of one
 * class that of the second class's logit less the first's, float32 [batch, channels, height, width], in normalised pixels. Images stay between
 * black and white.
 *
 * `fgsm`: Goodfellow et al., "Explaining and Harnessing Adversarial Examples" (2015), section 4. `pgd`: Madry et al.,
 * "Towards Deep Learning Models Resistant to Adversarial Attacks" (2018), section 2.1, from the image itself, with steps
 * of 2.5 epsilon / steps.
 */
export function adversarialDisturbance(options: AttackOptions): KnowledgeRequest {
  const { method, epsilon, mean, deviation, output = LOGITS, margin = CLASS_BOUNDARY.margin } = options;
  const steps = method === 'fgsm' ? 1 : options.steps;
  const about = output === LOGITS ? '' : `/${output}`;
  const tap = `adversarial/${method}-${epsilon}${method === 'pgd' ? `-${steps}` : ''}${about}`;
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
      const clean = teacher.value(output);
      let attacked = picture;
      for (let step = 0; step < steps; step++) {
        const from = step === 0 ? picture : stopGradient(g, attacked);
        const answers = step === 0 ? clean : again(teacher, from, output);
        const left = margin(g, { answers, teacher: clean });
        const [slope] = gradients(g, g.neg(g.reduceSum(left, { keepDims: false })), [from]);
        const moved = slope ? g.add(from, g.mul(g.op('Sign', [slope]), size)) : from;
        const near = g.min(g.max(moved, g.sub(picture, reach)), g.add(picture, reach));
        attacked = g.min(g.max(near, black), white);
      }
      return g.sub(attacked, picture);
    },
  };
}

function again(teacher: TeacherGraph, picture: TypedValue, output: string): TypedValue {
  return teacher.rerun(new Map([[PIXEL_VALUES, picture]]))(output);
}

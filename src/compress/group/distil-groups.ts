import type { ObjectiveTerm } from '../../objectives/objective.ts';
import { parameterCount } from '../../onnx/parameter-count.ts';
import { foldBatchNorm } from '../../onnx/passes/fold-batch-norm.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { Student } from '../../students/student.ts';
import { multiplicationsIn } from '../multiplications.ts';
import type { AfterContext, TransformedStudent, TransformRound } from '../transforms/transform.ts';
import {
  type GroupBeside,
  type GroupedLayer,
  layersToGroup,
  withGroups,
  withGroupsBeside,
} from './group-convolutions.ts';
import type { GroupOptions } from './group-options.ts';

/**
 * Turns a trained student's convolutions into grouped ones. First block by block: over the inputs that the layer has in the
 * network before, each group learns the output channels that it answers for, on its own, by its mean squared error as a part of
 * their variance. Then all together, with the recipe's losses and the network before as a teacher.
 */
export async function distilGroups(
  student: Student,
  options: GroupOptions,
  context: AfterContext,
): Promise<TransformedStudent> {
  const { groups, blockEpochs, epochs, learningRate, keep } = options;
  const layers = layersToGroup(student, options, context);
  const whole = evaluationForm(student);
  const weights = await blocks(student, layers, options, context);
  const grouped = withGroups(student, layers, groups, ({ weight }) => weights.get(weight.name) as Tensor);
  const cut = await context.measure(grouped);
  const trained =
    epochs > 0
      ? await context.retrain('together', grouped, {
          epochs,
          learningRate,
          ...(keep > 0 && { keep: { graph: whole, weight: keep } }),
        })
      : { student: grouped, validation: cut };
  const form = evaluationForm(trained.student);
  const round: TransformRound = {
    name: `${groups} groups${blockEpochs > 0 ? ', block by block, then together' : ''}`,
    parameters: parameterCount(form),
    multiplications: multiplicationsIn(form),
    cut,
    validation: trained.validation,
  };
  const shuffles = layers.filter((layer) => layer.shuffles).length;
  return {
    ...trained,
    rounds: [round],
    summary: `${layers.length} convolutions in ${groups} groups each${shuffles > 0 ? `, ${shuffles} behind a shuffle of channels` : ''}`,
  };
}

/** The weights of the grouped convolutions, by the names of those that they take the place of. */
async function blocks(
  student: Student,
  layers: readonly GroupedLayer[],
  { groups, blockEpochs, learningRate }: GroupOptions,
  context: AfterContext,
): Promise<ReadonlyMap<string, Tensor>> {
  const { student: beside, pairs } = withGroupsBeside(student, layers, groups);
  const { student: learnt } =
    blockEpochs > 0
      ? await context.retrain('blocks', beside, {
          epochs: blockEpochs,
          learningRate,
          objective: false,
          select: 'last',
          terms: pairs.flatMap((pair, i) => groupTerms(pair, groups, sharing(pairs, i))),
        })
      : { student: beside };
  const contents = new Map([...learnt.graph.initializers].map(([value, content]) => [value.name, content]));
  return new Map(pairs.map(({ layer, weight }) => [layer.weight.name, contents.get(weight) as Tensor]));
}

/** Keeps a channel without any variance from counting infinitely. */
const LEAST_VARIANCE = 1e-6;

/** What tells a convolution from the others with its weight: nothing for the first one. */
function sharing(pairs: readonly GroupBeside[], place: number): string {
  const before = pairs.slice(0, place).filter(({ weight }) => weight === pairs[place]?.weight).length;
  return before === 0 ? '' : `/use_${before + 1}`;
}

/**
 * What each group of a convolution loses: its squared error over the variance of the channels that it answers for.
 *
 * @param suffix of the terms' names, where several convolutions share the weight
 */
function groupTerms({ layer, grouped, whole }: GroupBeside, groups: number, suffix: string): ObjectiveTerm[] {
  return Array.from({ length: groups }, (_, group) => ({
    name: `group/${layer.weight.name}${suffix}/${group + 1}`,
    weight: 1,
    build(g, inputs) {
      const [own, target] = [inputs.student(grouped), inputs.student(whole)];
      const each = (own.shape[1] as number) / groups;
      const [a, b] = [own, target].map((x) => g.slice(x, 1, group * each, (group + 1) * each)) as [
        typeof own,
        typeof own,
      ];
      const mean = g.reduceMean(b, { axes: b.shape.map((_, axis) => axis).filter((axis) => axis !== 1) });
      const variance = g.reduceMean(g.square(g.sub(b, mean)), { keepDims: false });
      const error = g.reduceMean(g.square(g.sub(a, b)), { keepDims: false });
      return g.div(error, g.add(variance, LEAST_VARIANCE));
    },
  }));
}

function evaluationForm({ graph }: Student) {
  return foldBatchNorm(removeDeadNodes(toEvaluationForm(graph)));
}

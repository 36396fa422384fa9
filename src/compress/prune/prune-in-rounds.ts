import type { Graph } from '../../onnx/graph.ts';
import { namePattern } from '../../onnx/name-pattern.ts';
import { parameterCount } from '../../onnx/parameter-count.ts';
import { foldBatchNorm } from '../../onnx/passes/fold-batch-norm.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import type { Student } from '../../students/student.ts';
import { type Dependencies, findDependencies, type UnitGroup } from '../channels/dependency-groups.ts';
import { removeUnits } from '../channels/remove-units.ts';
import { multiplicationsIn } from '../multiplications.ts';
import { cannotCompress } from '../transforms/cannot-compress.ts';
import type { AfterContext, TransformedStudent, TransformRound } from '../transforms/transform.ts';
import { globalChoice, uniformChoice } from './choose-units.ts';
import { atRandom, byScales, byWeights, type Importance, TaylorImportance } from './importance.ts';
import type { PruneOptions } from './prune-options.ts';

/** Batches of training samples that gradients are taken of. */
const TAYLOR_BATCHES = 16;

/**
 * Prunes a student in rounds: in each the least important units go, evenly until the amount is reached, and what is left is
 * trained again.
 */
export async function pruneInRounds(
  student: Student,
  options: PruneOptions,
  context: AfterContext,
): Promise<TransformedStudent> {
  const { amount, rounds: count, keep, learningRate } = options;
  const whole = evaluationForm(student);
  const before = new Map(
    prunable(student, findDependencies(student), options, context).map(({ name, units }) => [
      name,
      units.length,
    ]),
  );
  const rounds: TransformRound[] = [];
  let [now, validation] = [student, context.validation];
  for (let round = 1; round <= count; round++) {
    const dependencies = findDependencies(now);
    const groups = prunable(now, dependencies, options, context);
    const share = 1 - (amount * round) / count;
    const choose = options.across === 'layer' ? uniformChoice : globalChoice;
    const importance = await importanceOf(now, groups, options, context, round);
    const removed = choose(groups, importance, {
      share,
      multiple: options.multiple,
      before,
      where: context.where,
    });
    const cutStudent = removeUnits(now, dependencies, removed);
    const cut = await context.measure(cutStudent);
    const epochs = round === count ? options.epochs : options.between;
    const trained =
      epochs > 0
        ? await context.retrain(`round-${round}`, cutStudent, {
            epochs,
            learningRate,
            ...(keep > 0 && { keep: { graph: whole, weight: keep } }),
          })
        : { student: cutStudent, validation: cut };
    ({ student: now, validation } = trained);
    const form = evaluationForm(now);
    rounds.push({
      name: `${Math.round(100 * share)} % left`,
      parameters: parameterCount(form),
      multiplications: multiplicationsIn(form),
      cut,
      validation,
    });
  }
  const units = [...before.values()].reduce((sum, own) => sum + own, 0);
  const left = prunable(now, findDependencies(now), options, context, true).reduce(
    (sum, group) => sum + group.units.length,
    0,
  );
  const TITLES = {
    l1: 'the L1 norm of weights',
    scales: 'the scales of normalisations',
    taylor: 'gradient times weight',
    random: 'chance',
  } as const;
  return {
    student: now,
    validation,
    rounds,
    summary: `${left} of ${units} channels, neurons and heads in ${before.size} groups of layers are left, chosen by ${TITLES[options.criterion]}${count > 1 ? ` in ${count} rounds` : ''}`,
  };
}

/** What pruning is going to make of a student, in shape; undefined where its weights decide how much each layer loses. */
export function foreseePruning(
  student: Student,
  options: PruneOptions,
  context: Pick<AfterContext, 'where'>,
): Student | undefined {
  const dependencies = findDependencies(student);
  const groups = prunable(student, dependencies, options, context);
  if (options.criterion === 'scales') scalesOf(student, context, groups);
  const kept = {
    share: 1 - options.amount,
    multiple: options.multiple,
    before: new Map(groups.map(({ name, units }) => [name, units.length])),
    where: context.where,
  };
  if (options.across === 'network') {
    globalChoice(groups, byWeights(student.graph), kept);
    return undefined;
  }
  return removeUnits(student, dependencies, uniformChoice(groups, byWeights(student.graph), kept));
}

/** The scales of each group. @throws LimbeckError `compress.invalid` for a group that nothing normalises */
function scalesOf(
  { graph }: Student,
  context: Pick<AfterContext, 'where'>,
  groups: readonly UnitGroup[],
): Importance {
  const scales = byScales(graph);
  const bare = groups.find((group) => !scales(group));
  if (bare) {
    throw cannotCompress(
      context,
      `nothing normalises the channels of ${bare.name}: they have no scales`,
      'Choose the criterion l1 or taylor, or name the layer in `skip`.',
    );
  }
  return (group) => scales(group) as readonly number[];
}

/** The groups that units may be removed of. @throws LimbeckError `compress.invalid` where there is none, or a pattern fits none */
function prunable(
  student: Student,
  { groups }: Dependencies,
  { skip }: Pick<PruneOptions, 'skip'>,
  context: Pick<AfterContext, 'where'>,
  mayBeNone = false,
): readonly UnitGroup[] {
  const namesOf = ({ units }: UnitGroup) => units[0]?.parts.map(({ parameter }) => parameter.name) ?? [];
  for (const pattern of skip) {
    if (student.parameters.some(namePattern(pattern))) continue;
    throw cannotCompress(
      context,
      `no weight of the student fits '${pattern}'`,
      `Name one of its weights in \`skip\`: ${student.parameters.slice(0, 4).join(', ')}, ...`,
    );
  }
  const patterns = skip.map(namePattern);
  // Features that no output reads (of a head that reads each place of an image instead) do not ship: they are no part of the amount.
  const shipped = new Set([...removeDeadNodes(student.graph).initializers.keys()].map(({ name }) => name));
  const found = groups.filter((group) => {
    const names = namesOf(group);
    return (
      names.some((name) => shipped.has(name)) && !names.some((name) => patterns.some((fits) => fits(name)))
    );
  });
  if (found.length > 0 || mayBeNone) return found;
  throw cannotCompress(
    context,
    `nothing can be removed of the student ${student.graph.name}: all of its channels lead to its outputs, to operators that are not known, or to layers in \`skip\``,
    'Leave the transform out, or take another student.',
  );
}

async function importanceOf(
  student: Student,
  groups: readonly UnitGroup[],
  { criterion }: Pick<PruneOptions, 'criterion'>,
  context: AfterContext,
  round: number,
): Promise<Importance> {
  const { graph } = student;
  switch (criterion) {
    case 'l1':
      return byWeights(graph);
    case 'random':
      return atRandom((group) => context.random('prune', round, group));
    case 'taylor': {
      const taylor = new TaylorImportance(graph, groups);
      await context.gradients(student, TAYLOR_BATCHES, (gradients) => taylor.add(gradients));
      return taylor.of;
    }
    case 'scales':
      return scalesOf(student, context, groups);
  }
}

function evaluationForm({ graph }: Student): Graph {
  return foldBatchNorm(removeDeadNodes(toEvaluationForm(graph)));
}

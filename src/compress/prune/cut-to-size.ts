import { prepareForGradients } from '../../autodiff/prepare.ts';
import { LimbeckError } from '../../errors.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import { isFloat } from '../../onnx/data-type.ts';
import { findValue, type Value } from '../../onnx/graph.ts';
import { plainReshapes } from '../../onnx/passes/plain-reshapes.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import { separateProjections } from '../../onnx/passes/separate-projections.ts';
import type { GivenModel } from '../../students/backbone.ts';
import { type CutPlace, cutGraph } from '../../students/cut.ts';
import { findDependencies, type UnitGroup } from '../channels/dependency-groups.ts';
import { removeUnits } from '../channels/remove-units.ts';
import { byWeights, leastFirst } from './importance.ts';

/** How much of a transformer or a residual network is left. */
export interface CutSize {
  /** All when absent. */
  readonly layers?: number | readonly number[] | undefined;
  /** Of each layer; all when absent. */
  readonly heads?: number | undefined;
  /** A part of the numbers in hidden states and inside of the layers, or of the channels of maps; all when absent. */
  readonly width?: number | undefined;
}

/**
 * A transformer or a residual network with fewer layers, fewer heads in each, narrower hidden states and feed-forward blocks, and the weights of what is
 * left. Of heads, neurons and channels those stay that have the largest weights (L1 norms over all matrices that they are in, each as
 * a part of the matrix's mean: `byWeights`). All layers share the hidden states' channels, so one choice holds for all of them.
 * A head keeps its own size. Of a residual network those channels stay that are the same through a stage, and within each block.
 *
 * @throws LimbeckError `recipe.invalid` where the teacher has no layers, does not have what is to be left, or where its graph
 *   does not tell what belongs together
 */
export function cutToSize(
  { graph: whole, constants = [] }: GivenModel,
  size: CutSize,
  place: CutPlace = {},
): GivenModel {
  const plain = plainReshapes(prepareForGradients(whole));
  const { graph, attach } = cutGraph(
    size.heads === undefined ? plain : separateProjections(plain),
    size.layers,
    place,
  );
  const { key = 'student', keepsEnd = false } = place;
  const { family, layers } = describeModel(graph);
  const attends = family === 'transformer';
  if (!attends && size.heads !== undefined)
    throw refused('heads', 'the teacher has no attention heads', 'Leave the key out.');
  // The end of the last layer is no answer: it may be narrower.
  const inner = keepsEnd ? graph : { ...graph, outputs: [] };
  const parameters = [...graph.initializers].flatMap(([{ name }, { type, data }]) =>
    isFloat(type) && data.length > 1 && !constants.includes(name) ? [name] : [],
  );
  const dependencies = findDependencies({ graph: inner, parameters }, { meansMayShrink: true });
  const groupAt = (name: string | undefined, axis: number): UnitGroup | undefined => {
    const value = name === undefined ? undefined : (findValue(graph, name) as Value | undefined);
    const unit = value && dependencies.units.of(value).at(axis)?.[0];
    if (unit == null) return undefined;
    const id = dependencies.units.root(unit);
    return dependencies.groups.find(({ units }) => units.some((one) => one.id === id));
  };
  const headGroups = layers.map(({ attention }) => groupAt(attention?.probabilities, 1));
  const removed = new Set<number>();
  const remove = (group: UnitGroup, count: number) => {
    const order = leastFirst(byWeights(graph)(group)).slice(0, group.units.length - count);
    for (const index of order) removed.add((group.units[index] as UnitGroup['units'][number]).id);
  };

  if (size.heads !== undefined) {
    layers.forEach(({ attention, name }, i) => {
      const [wanted, has, group] = [size.heads as number, attention?.heads ?? 0, headGroups[i]];
      if (wanted > has)
        throw refused(
          'heads',
          `the teacher has ${has} heads in ${name}, not ${wanted}`,
          `Keep ${has} or fewer.`,
        );
      if (wanted === has) return;
      if (!group || group.units.length !== has) throw untold('heads', `the heads of ${name}`);
      remove(group, wanted);
    });
  }
  const { width } = size;
  if (width !== undefined && width < 1) {
    const hidden = attends
      ? groupAt(layers.at(-1)?.hidden?.name, -1)
      : groupAt(layers.at(-1)?.features?.name, 1);
    if (!hidden) throw untold('width', `the channels of its ${attends ? 'hidden states' : 'last maps'}`);
    for (const group of dependencies.groups) {
      if (headGroups.includes(group)) continue;
      const left = Math.round(width * group.units.length);
      if (left < 1)
        throw refused(
          'width',
          `nothing is left of the ${group.units.length} channels of ${group.name}`,
          'Keep a larger part.',
        );
      remove(group, left);
    }
  }
  const cut = removeUnits({ graph: inner, parameters }, dependencies, removed).graph;
  return { graph: withOutputs(cut, [attach]), constants, attach };

  function refused(option: string, problem: string, remedy: string): LimbeckError {
    return new LimbeckError('recipe.invalid', problem, { where: `${key}.${option}, of kind: cut`, remedy });
  }

  function untold(option: string, what: string): LimbeckError {
    return refused(
      option,
      `the teacher's graph does not tell what belongs to ${what}`,
      'Leave the key out, and narrow the student by compress: [{ kind: prune }], or export the teacher again with sizes as constants.',
    );
  }
}

import type { Graph, Node, Value } from '../../onnx/graph.ts';
import { capturedValues, subgraphsOf } from '../../onnx/used-values.ts';
import type { Student } from '../../students/student.ts';
import { AxisUnits } from './axis-units.ts';
import { FROZEN, type Linking, type OperatorRule } from './operator-rule.ts';
import { OPERATOR_RULES } from './operator-rules.ts';

/** A part of a parameter that belongs to a unit: some indices of one of its axes. */
export interface UnitPart {
  readonly parameter: Value;
  readonly axis: number;
  readonly indices: readonly number[];
}

/** Channels, neurons or heads that can only be removed from everywhere at once. */
export interface Unit {
  readonly id: number;
  readonly parts: readonly UnitPart[];
}

/** Units that are alternatives to each other: the channels of a stage of residual blocks, the heads of a layer. */
export interface UnitGroup {
  /** The first weight that the units are outputs or inputs of, for people. */
  readonly name: string;
  readonly units: readonly Unit[];
}

/** How channels hang together in a graph. */
export interface Dependencies {
  readonly units: AxisUnits;
  /** Those that something can be removed of, in the order of the graph. */
  readonly groups: readonly UnitGroup[];
}

/** The rule of a node; of one without, everything stays as it is. */
export function ruleOf(node: Node): OperatorRule {
  return (node.domain === '' && OPERATOR_RULES.get(node.opType)) || FROZEN;
}

/**
 * Finds in a graph which channels belong together: through sums, concatenations, grouped and depthwise convolutions,
 * normalisations and attention. Inputs and outputs of the model stay, and so does whatever an operator without a rule touches.
 *
 * @param options `meansMayShrink`: normalisations that are made of means are cut as LayerNormalization is
 *
 * The idea is that of Fang, Ma, Song, Bi Mi and Wang, "DepGraph: Towards Any Structural Pruning" (2023): a dependency is between
 * indices, and a group is what it reaches.
 */
export function findDependencies(
  { graph, parameters }: Student,
  { meansMayShrink }: Pick<Linking, 'meansMayShrink'> = {},
): Dependencies {
  const units = new AxisUnits();
  for (const value of [...graph.inputs, ...graph.outputs]) units.freeze(value);
  const linking: Linking = {
    units,
    meansMayShrink,
    constant: (value: Value | null | undefined) => (value ? graph.initializers.get(value) : undefined),
  };
  for (const value of graph.initializers.keys()) units.of(value);
  for (const node of graph.nodes) {
    ruleOf(node).link(node, linking);
    for (const inner of subgraphsOf(node)) for (const value of capturedValues(inner)) units.freeze(value);
  }
  return { units, groups: groupsOf(graph, new Set(parameters), units) };
}

function groupsOf(graph: Graph, parameters: ReadonlySet<string>, units: AxisUnits): UnitGroup[] {
  const parts = new Map<number, { parameter: Value; axis: number; indices: number[] }[]>();
  for (const value of graph.initializers.keys()) {
    if (!parameters.has(value.name)) continue;
    units.of(value).forEach((axis, place) => {
      axis?.forEach((unit, index) => {
        if (units.isFrozen(unit)) return;
        const id = units.root(unit);
        const own = parts.get(id) ?? [];
        parts.set(id, own);
        const last = own.at(-1);
        if (last?.parameter === value && last.axis === place) last.indices.push(index);
        else own.push({ parameter: value, axis: place, indices: [index] });
      });
    });
  }
  const groups = new Map<string, Unit[]>();
  for (const [id, own] of parts) {
    // Alternatives are parts of the same axes of the same parameters, as large.
    const key = own
      .map(({ parameter, axis, indices }) => `${parameter.name} ${axis} ${indices.length}`)
      .join('\n');
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push({ id, parts: own });
  }
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => ({ name: nameOf(group), units: group }));
}

/** A matrix or a kernel tells more than a bias or a scale. */
function nameOf([unit]: readonly Unit[]): string {
  const parts = unit?.parts ?? [];
  const weight = parts.find(({ parameter }) => (parameter.shape?.length ?? 0) > 1) ?? parts[0];
  return weight?.parameter.name ?? '';
}

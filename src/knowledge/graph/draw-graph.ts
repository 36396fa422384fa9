import type { ModelAnatomy } from '../../onnx/anatomy/anatomy.ts';
import type { AttributionSums } from './attribution-sums.ts';
import { graphEdges, type ShownGroups } from './graph-edges.ts';
import { type GraphNode, type GraphSource, type KnowledgeGraph, rounded } from './knowledge-graph.ts';

/** Tokens, classes and channels of a layer that get nodes of their own; one node stands for all others. */
const SHOWN = { inputs: 24, classes: 32, channels: 8 } as const;

/** What a graph is drawn of. */
export interface GraphSubject {
  readonly teacher: ModelAnatomy;
  readonly labels: readonly string[];
  readonly source: GraphSource;
}

/**
 * Draws the knowledge graph of a teacher from the attributions of a sample.
 *
 * @example
 * const sums = new AttributionSums(teacher, labels.length);
 * sums.add(questions.read(answers), (row) => tokensOf(row));
 * const graph = drawGraph(sums, { teacher, labels, source });
 */
export function drawGraph(sums: AttributionSums, { teacher, labels, source }: GraphSubject): KnowledgeGraph {
  const { samples, columns } = sums;
  if (samples === 0) throw new Error('the knowledge graph has seen no sample');
  const inputs = shownInputs(sums);
  const classes = shownClasses(sums, labels.length);
  const layers = layerAttributions(sums);
  const shares = sharesOf(layers);
  const units = columns.map(({ units }) => (units ? unitAttributions(sums, units) : []));
  const allUnits = sum(units.map(sum));
  const nodes = [
    ...inputNodes(sums, inputs),
    ...teacher.layers.flatMap(({ name }, layer): GraphNode[] => [
      {
        id: `layer/${layer}`,
        kind: 'layer',
        label: name,
        importance: shares[layer] as number,
        attribution: rounded(layers[layer] as number),
        layer,
      },
      ...unitNodes(layer, columns[layer]?.units?.kind, units[layer] as number[], allUnits),
    ]),
    ...classNodes(sums, classes, labels),
  ];
  return {
    version: 1,
    ...source,
    samples,
    layers: teacher.layers.map(({ name }, layer) => {
      const parts = sharesOf(units[layer] as number[]);
      const kind = columns[layer]?.units?.kind;
      return {
        name,
        importance: shares[layer] as number,
        heads: kind === 'head' ? parts : [],
        channels: kind === 'channel' ? parts : [],
      };
    }),
    nodes,
    edges: graphEdges(sums, { inputs, classes, nodes: new Set(nodes.map(({ id }) => id)) }),
  };
}

/** What each layer added; where that is not known, what it handed on, or what its heads did. */
function layerAttributions(sums: AttributionSums): number[] {
  return sums.columns.map(({ places, units }, layer) => {
    const added = (sums.updates[layer] as number) || (sums.inputs.total[places] as number);
    return added > 0 || !units ? added / sums.samples : sum(unitAttributions(sums, units));
  });
}

function unitAttributions(
  sums: AttributionSums,
  { first, count }: { first: number; count: number },
): number[] {
  return Array.from(sums.inputs.total.subarray(first, first + count), (total) => total / sums.samples);
}

/**
 * Of texts the tokens that add most beyond what an average token adds as often: those that are everywhere would else
 * hide those that decide.
 */
function shownInputs({ inputs, inputColumn }: AttributionSums): ShownGroups {
  const { groups: all } = inputs.ranked(({ sums }) => sums[inputColumn] ?? 0);
  const occurrences = sum(all.map((group) => group.occurrences));
  const usual = sum(all.map(({ sums }) => sums[inputColumn] ?? 0)) / Math.max(occurrences, 1);
  const { groups, folded } = inputs.ranked(
    (group) => (group.sums[inputColumn] ?? 0) - usual * group.occurrences,
  );
  return {
    groups: groups.slice(0, SHOWN.inputs).map((group) => ({ id: `input/${group.name}`, group })),
    othersId: 'other-inputs',
    others: Math.max(0, groups.length - SHOWN.inputs) + folded,
  };
}

function shownClasses({ classes }: AttributionSums, labels: number): ShownGroups {
  const shown = classes.ranked(({ occurrences }) => occurrences).groups.slice(0, SHOWN.classes);
  return {
    groups: shown.map((group) => ({ id: `class/${group.name}`, group })),
    othersId: 'other-classes',
    others: labels - shown.length,
  };
}

function inputNodes({ inputs, inputColumn, samples }: AttributionSums, shown: ShownGroups): GraphNode[] {
  const all = inputs.total[inputColumn] ?? 0;
  const node = (id: string, label: string, attribution: number): GraphNode => ({
    id,
    kind: 'input',
    label,
    importance: shareOf(attribution, all),
    attribution: rounded(attribution / samples),
  });
  const nodes = shown.groups.map(({ id, group }) => ({
    ...node(id, group.name, group.sums[inputColumn] ?? 0),
    occurrences: group.occurrences,
  }));
  if (shown.others === 0) return nodes;
  const left = all - sum(shown.groups.map(({ group }) => group.sums[inputColumn] ?? 0));
  return [...nodes, { ...node(shown.othersId, 'all others', Math.max(0, left)), others: shown.others }];
}

/** A node for each head; for the channels that matter most, and one for the others. */
function unitNodes(
  layer: number,
  kind: 'head' | 'channel' | undefined,
  attributions: readonly number[],
  all: number,
): GraphNode[] {
  if (!kind) return [];
  const node = (name: string, label: string, attribution: number): GraphNode => ({
    id: `layer/${layer}/${kind}/${name}`,
    kind,
    label,
    importance: shareOf(attribution, all),
    attribution: rounded(attribution),
    layer,
  });
  const order = attributions
    .map((attribution, unit) => ({ attribution, unit }))
    .sort((a, b) => b.attribution - a.attribution || a.unit - b.unit);
  const shown = kind === 'head' ? order : order.slice(0, SHOWN.channels);
  const nodes = shown.map(({ attribution, unit }) => node(`${unit}`, `${kind} ${unit}`, attribution));
  const others = order.slice(shown.length);
  if (others.length === 0) return nodes;
  const left = sum(others.map(({ attribution }) => attribution));
  return [...nodes, { ...node('others', 'all others', left), others: others.length }];
}

function classNodes(
  { classes, columns, samples }: AttributionSums,
  shown: ShownGroups,
  labels: readonly string[],
): GraphNode[] {
  const handedOn = columns.at(-1)?.places ?? 0;
  const nodes = shown.groups.map(
    ({ id, group }): GraphNode => ({
      id,
      kind: 'class',
      label: labels[Number(group.name)] ?? group.name,
      importance: rounded(group.occurrences / samples),
      attribution: rounded((group.sums[handedOn] as number) / samples),
      occurrences: group.occurrences,
    }),
  );
  const left = samples - sum(shown.groups.map(({ group }) => group.occurrences));
  if (left === 0) return nodes;
  const rest =
    (classes.total[handedOn] as number) -
    sum(shown.groups.map(({ group }) => group.sums[handedOn] as number));
  return [
    ...nodes,
    {
      id: shown.othersId,
      kind: 'class',
      label: 'all others',
      importance: rounded(left / samples),
      attribution: rounded(Math.max(0, rest) / samples),
      others: shown.others,
      occurrences: left,
    },
  ];
}

function sharesOf(parts: readonly number[]): number[] {
  const all = sum(parts);
  return parts.map((part) => shareOf(part, all));
}

function shareOf(part: number, all: number): number {
  return rounded(all > 0 ? Math.min(1, part / all) : 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

import type { ModelAnatomy } from '../../onnx/anatomy/anatomy.ts';
import type { Attributions, LayerAttributions } from './attribution-requests.ts';
import { unitsOf } from './attribution-requests.ts';
import { type Group, GroupSums } from './group-sums.ts';
import type { EdgeKind, GraphEdge, GraphNode, GraphSource, KnowledgeGraph } from './knowledge-graph.ts';

/** Tokens, classes and channels of a layer that get nodes of their own; one node stands for all others. */
const SHOWN = { inputs: 24, classes: 32, channels: 8 } as const;

/** Numbers that the sums of all tokens (or all classes) may take: 32 MB. */
const LARGEST_SUMS = 2 ** 22;

/** Edges that are weaker than this part of the strongest of their kind are left out. */
const WEAKEST_EDGE = 1e-3;

export interface KnowledgeGraphOptions {
  readonly teacher: ModelAnatomy;
  readonly labels: readonly string[];
  readonly source: GraphSource;
}

/** The columns of a layer among the sums: what it hands on, then its heads or channels. */
interface LayerColumns {
  readonly places: number;
  readonly units: {
    readonly kind: 'head' | 'channel';
    readonly first: number;
    readonly count: number;
  } | null;
}

/**
 * Makes the knowledge graph of a teacher from the attributions of a sample, batch by batch. Signs are dropped place by
 * place, so that what speaks for a class and what speaks against it do not cancel.
 *
 * @example
 * const builder = new KnowledgeGraphBuilder({ teacher, labels, source });
 * builder.add(questions.read(answers), (row) => tokensOf(row));
 * const graph = builder.build();
 */
export class KnowledgeGraphBuilder {
  readonly #options: KnowledgeGraphOptions;
  readonly #columns: readonly LayerColumns[];
  readonly #inputs: GroupSums;
  readonly #classes: GroupSums;
  readonly #updates: Float64Array;
  /** Of one sample, over its places. */
  readonly #sample: Float64Array;
  #samples = 0;

  constructor(options: KnowledgeGraphOptions) {
    this.#options = options;
    let next = 1;
    this.#columns = options.teacher.layers.map((layer) => {
      const units = unitsOf(layer);
      const places = next++;
      const first = next;
      next += units?.count ?? 0;
      return { places, units: units && { ...units, first } };
    });
    const limit = Math.max(SHOWN.classes, Math.min(4096, Math.floor(LARGEST_SUMS / next)));
    const column = options.teacher.features ? 0 : 1;
    this.#inputs = new GroupSums(next, limit, ({ sums }) => sums[column] ?? 0);
    this.#classes = new GroupSums(next, limit, ({ occurrences }) => occurrences);
    this.#updates = new Float64Array(options.teacher.layers.length);
    this.#sample = new Float64Array(next);
  }

  /** Adds a batch; `namesOf(row)` names what stands at each place, undefined where nothing does (padding). */
  add(attributions: Attributions, namesOf: (row: number) => readonly (string | undefined)[]): void {
    const classes = this.#options.labels.length;
    const rows = attributions.logits.length / classes;
    if (!Number.isInteger(rows))
      throw new Error(`${attributions.logits.length} logits of ${classes} classes`);
    for (let row = 0; row < rows; row++) {
      this.#sample.fill(0);
      const names = namesOf(row);
      names.forEach((name, place) => {
        if (name !== undefined) this.#addPlace(attributions, { row, place, places: names.length }, name);
      });
      attributions.layers.forEach(({ update }, layer) => {
        if (!update) return;
        names.forEach((name, place) => {
          if (name === undefined) return;
          this.#updates[layer]! += Math.abs(update[row * names.length + place] as number);
        });
      });
      const scores = attributions.logits.subarray(row * classes, (row + 1) * classes);
      const chosen = this.#classes.of(String(scores.indexOf(Math.max(...scores))));
      chosen.occurrences++;
      addTo(chosen.sums, this.#sample);
      addTo(this.#classes.total, this.#sample);
      this.#samples++;
    }
  }

  build(): KnowledgeGraph {
    if (this.#samples === 0) throw new Error('the knowledge graph has seen no sample');
    const { source, teacher } = this.#options;
    const layers = this.#layerAttributions();
    const nodes: GraphNode[] = [...this.#inputNodes()];
    const all = sum(layers);
    const shares = layers.map((attribution) => rounded(all > 0 ? attribution / all : 0));
    const units = this.#columns.map(({ units }) => (units ? this.#mean(units.first, units.count) : []));
    const allUnits = sum(units.map(sum));
    teacher.layers.forEach(({ name }, layer) => {
      nodes.push({
        id: `layer/${layer}`,
        kind: 'layer',
        label: name,
        importance: shares[layer] as number,
        attribution: rounded(layers[layer] as number),
        layer,
      });
      nodes.push(...unitNodes(layer, this.#columns[layer]?.units?.kind, units[layer] as number[], allUnits));
    });
    nodes.push(...this.#classNodes());
    return {
      version: 1,
      ...source,
      samples: this.#samples,
      layers: teacher.layers.map(({ name }, layer) => {
        const own = units[layer] as number[];
        const inside = sum(own);
        const parts = own.map((unit) => rounded(inside > 0 ? unit / inside : 0));
        const kind = this.#columns[layer]?.units?.kind;
        return {
          name,
          importance: shares[layer] as number,
          heads: kind === 'head' ? parts : [],
          channels: kind === 'channel' ? parts : [],
        };
      }),
      nodes,
      edges: strongEnough(this.#edges(nodes)),
    };
  }

  #addPlace(
    { input, layers }: Attributions,
    at: { readonly row: number; readonly place: number; readonly places: number },
    name: string,
  ): void {
    const group = this.#inputs.of(name);
    group.occurrences++;
    const add = (column: number, value: number) => {
      group.sums[column]! += value;
      this.#inputs.total[column]! += value;
      this.#sample[column]! += value;
    };
    const index = at.row * at.places + at.place;
    if (input) add(0, Math.abs(input[index] as number));
    layers.forEach((layer, position) => {
      const { places, units } = this.#columns[position] as LayerColumns;
      if (layer.places) add(places, Math.abs(layer.places[index] as number));
      if (units && layer.units) this.#addUnits(layer, { ...units, places }, at, add);
    });
  }

  #addUnits(
    layer: LayerAttributions,
    { kind, first, count, places }: NonNullable<LayerColumns['units']> & { readonly places: number },
    at: { readonly row: number; readonly place: number; readonly places: number },
    add: (column: number, value: number) => void,
  ): void {
    const values = layer.units as Float32Array;
    let all = 0;
    for (let unit = 0; unit < count; unit++) {
      const value = Math.abs(values[(at.row * count + unit) * at.places + at.place] as number);
      add(first + unit, value);
      all += value;
    }
    // A feature map has no other vector at a place than its channels.
    if (kind === 'channel' && !layer.places) add(places, all);
  }

  #mean(first: number, count: number): number[] {
    return [...this.#inputs.total.subarray(first, first + count)].map((total) => total / this.#samples);
  }

  /** What a layer added; where that is not known, what its heads or channels did. */
  #layerAttributions(): number[] {
    return this.#columns.map(({ places, units }, layer) => {
      if ((this.#updates[layer] as number) > 0) return (this.#updates[layer] as number) / this.#samples;
      const handedOn = (this.#inputs.total[places] as number) / this.#samples;
      return handedOn > 0 || !units ? handedOn : sum(this.#mean(units.first, units.count));
    });
  }

  #inputNodes(): GraphNode[] {
    const column = this.#options.teacher.features ? 0 : 1;
    const all = (this.#inputs.total[column] ?? 0) / this.#samples;
    const { groups, others } = this.#inputs.largest(SHOWN.inputs);
    const node = (id: string, label: string, attribution: number): GraphNode => ({
      id,
      kind: 'input',
      label,
      importance: rounded(all > 0 ? Math.min(1, attribution / all) : 0),
      attribution: rounded(attribution),
    });
    const nodes = groups.map(({ name, sums, occurrences }) => ({
      ...node(`input/${name}`, name, (sums[column] ?? 0) / this.#samples),
      occurrences,
    }));
    if (others === 0) return nodes;
    const left = Math.max(0, all - sum(groups.map(({ sums }) => (sums[column] ?? 0) / this.#samples)));
    return [...nodes, { ...node('other-inputs', 'all others', left), others }];
  }

  #classNodes(): GraphNode[] {
    const { groups } = this.#classes.largest(SHOWN.classes);
    const chosen = sum(groups.map(({ occurrences }) => occurrences));
    const { labels } = this.#options;
    const handedOn = this.#columns.at(-1)?.places ?? 0;
    const nodes = groups.map(
      ({ name, sums, occurrences }): GraphNode => ({
        id: `class/${name}`,
        kind: 'class',
        label: labels[Number(name)] ?? name,
        importance: rounded(occurrences / this.#samples),
        attribution: rounded((sums[handedOn] as number) / this.#samples),
        occurrences,
      }),
    );
    const others = labels.length - groups.length;
    if (others === 0) return nodes;
    const left = this.#samples - chosen;
    const attribution = Math.max(
      0,
      (this.#classes.total[handedOn] as number) - sum(groups.map(({ sums }) => sums[handedOn] as number)),
    );
    return [
      ...nodes,
      {
        id: 'other-classes',
        kind: 'class',
        label: 'all others',
        importance: rounded(left / this.#samples),
        attribution: rounded(attribution / this.#samples),
        others,
        occurrences: left,
      },
    ];
  }

  #edges(nodes: readonly GraphNode[]): GraphEdge[] {
    const edges: GraphEdge[] = [];
    const push = (from: string, to: string, kind: EdgeKind, weight: number) =>
      edges.push({ from, to, kind, weight: rounded(weight / this.#samples) });
    const inputs = shownGroups(this.#inputs, SHOWN.inputs, (name) => `input/${name}`, 'other-inputs');
    const classes = shownGroups(this.#classes, SHOWN.classes, (name) => `class/${name}`, 'other-classes');
    const known = new Set(nodes.map(({ id }) => id));
    this.#columns.forEach(({ places, units }, layer) => {
      const id = `layer/${layer}`;
      const isLast = layer === this.#columns.length - 1;
      for (const [input, sums] of inputs) push(input, id, 'reads', sums[places] as number);
      if (isLast) for (const [chosen, sums] of classes) push(id, chosen, 'decides', sums[places] as number);
      else push(id, `layer/${layer + 1}`, 'passes', this.#inputs.total[places] as number);
      for (let unit = 0; unit < (units?.count ?? 0); unit++) {
        const node = `${id}/${units?.kind}/${unit}`;
        if (!known.has(node)) continue;
        const column = (units?.first ?? 0) + unit;
        push(node, id, 'part-of', this.#inputs.total[column] as number);
        for (const [input, sums] of inputs) push(input, node, 'reads', sums[column] as number);
        for (const [chosen, sums] of classes) push(node, chosen, 'decides', sums[column] as number);
      }
    });
    return edges.filter(({ from, to }) => known.has(from) && known.has(to));
  }
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
    importance: rounded(all > 0 ? Math.min(1, attribution / all) : 0),
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

/** The sums of the largest groups, and of all others together. */
function shownGroups(
  groups: GroupSums,
  count: number,
  idOf: (name: string) => string,
  othersId: string,
): [string, ArrayLike<number>][] {
  const left = Float64Array.from(groups.total);
  const shown = groups.largest(count).groups.map(({ name, sums }: Group): [string, ArrayLike<number>] => {
    for (let column = 0; column < left.length; column++) left[column]! -= sums[column] as number;
    return [idOf(name), sums];
  });
  return [...shown, [othersId, left.map((value) => Math.max(0, value))]];
}

function strongEnough(edges: readonly GraphEdge[]): GraphEdge[] {
  const strongest = new Map<EdgeKind, number>();
  for (const { kind, weight } of edges) strongest.set(kind, Math.max(strongest.get(kind) ?? 0, weight));
  return edges.filter(
    ({ kind, weight }) => weight > 0 && weight >= WEAKEST_EDGE * (strongest.get(kind) as number),
  );
}

function addTo(sums: Float64Array, more: Float64Array): void {
  for (let column = 0; column < sums.length; column++) sums[column]! += more[column] as number;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Six digits are more than a sample can tell; what is written is what is used. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

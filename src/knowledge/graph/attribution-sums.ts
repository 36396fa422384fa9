import type { ModelAnatomy } from '../../onnx/anatomy/anatomy.ts';
import { type Attributions, type LayerAttributions, unitsOf } from './attribution-requests.ts';
import { GroupSums } from './group-sums.ts';

/** Numbers that the sums of all tokens (or all classes) may take: 32 MB. */
const LARGEST_SUMS = 2 ** 22;
/** Groups whose sums are kept, as far as those allow. */
const [FEWEST_GROUPS, MOST_GROUPS] = [64, 4096];

/** Where a layer's attributions stand among the columns of the sums. */
export interface LayerColumns {
  /** Of what it hands on. */
  readonly places: number;
  /** Of its heads or channels, one after another. */
  readonly units: {
    readonly kind: 'head' | 'channel';
    readonly first: number;
    readonly count: number;
  } | null;
}

/**
 * The attributions of a sample, added up batch by batch: by token or region, and by the class that was chosen. Signs are
 * dropped place by place, so that what speaks for a class and what speaks against it do not cancel.
 */
export class AttributionSums {
  readonly columns: readonly LayerColumns[];
  /** The column of the inputs' own attribution: what the first layer hands on where neither embeddings nor pixels are known. */
  readonly inputColumn: number;
  readonly inputs: GroupSums;
  readonly classes: GroupSums;
  /** Of what each layer added. */
  readonly updates: Float64Array;
  readonly #labels: number;
  /** Of one sample, over its places. */
  readonly #sample: Float64Array;
  #samples = 0;

  constructor(teacher: ModelAnatomy, labels: number) {
    let next = 1;
    this.columns = teacher.layers.map((layer) => {
      const units = unitsOf(layer);
      const places = next++;
      const first = next;
      next += units?.count ?? 0;
      return { places, units: units && { ...units, first } };
    });
    this.inputColumn = teacher.features ? 0 : 1;
    const limit = Math.max(FEWEST_GROUPS, Math.min(MOST_GROUPS, Math.floor(LARGEST_SUMS / next)));
    this.inputs = new GroupSums(next, limit, ({ sums }) => sums[this.inputColumn] ?? 0);
    this.classes = new GroupSums(next, limit, ({ occurrences }) => occurrences);
    this.updates = new Float64Array(teacher.layers.length);
    this.#labels = labels;
    this.#sample = new Float64Array(next);
  }

  get samples(): number {
    return this.#samples;
  }

  /** Adds a batch; `namesOf(row)` names what stands at each place, undefined where nothing does (padding). */
  add(attributions: Attributions, namesOf: (row: number) => readonly (string | undefined)[]): void {
    const { logits } = attributions;
    const rows = logits.length / this.#labels;
    if (!Number.isInteger(rows)) throw new Error(`${logits.length} logits of ${this.#labels} classes`);
    for (let row = 0; row < rows; row++) {
      this.#sample.fill(0);
      const names = namesOf(row);
      names.forEach((name, place) => {
        if (name !== undefined) this.#addPlace(attributions, { row, place, places: names.length }, name);
      });
      const scores = logits.subarray(row * this.#labels, (row + 1) * this.#labels);
      const chosen = this.classes.of(String(scores.indexOf(Math.max(...scores))));
      chosen.occurrences++;
      for (let column = 0; column < this.#sample.length; column++) {
        chosen.sums[column]! += this.#sample[column] as number;
        this.classes.total[column]! += this.#sample[column] as number;
      }
      this.#samples++;
    }
  }

  #addPlace({ input, layers }: Attributions, at: Place, name: string): void {
    const group = this.inputs.of(name);
    group.occurrences++;
    const add = (column: number, value: number) => {
      group.sums[column]! += value;
      this.inputs.total[column]! += value;
      this.#sample[column]! += value;
    };
    const index = at.row * at.places + at.place;
    if (input) add(0, Math.abs(input[index] as number));
    layers.forEach((layer, position) => {
      const { places, units } = this.columns[position] as LayerColumns;
      if (layer.places) add(places, Math.abs(layer.places[index] as number));
      if (layer.update) this.updates[position]! += Math.abs(layer.update[index] as number);
      if (units && layer.units) addUnits(layer, { ...units, places }, at, add);
    });
  }
}

interface Place {
  readonly row: number;
  readonly place: number;
  /** Places in a row of the batch. */
  readonly places: number;
}

function addUnits(
  layer: LayerAttributions,
  { kind, first, count, places }: NonNullable<LayerColumns['units']> & { readonly places: number },
  at: Place,
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

import { AttributionSums } from '../../knowledge/graph/attribution-sums.ts';
import { drawGraph } from '../../knowledge/graph/draw-graph.ts';
import { layerMapFromGraph } from '../../knowledge/graph/layer-choice.ts';
import type { ModelAnatomy } from '../../onnx/anatomy/anatomy.ts';
import { randomStream } from '../../random.ts';
import type { GraphReport } from '../report-data.ts';

const [LAYERS, HEADS, PLACES, SAMPLES] = [4, 4, 8, 120];
const TOKENS = [
  'genus',
  'person',
  'plant',
  'city',
  'bird',
  'act',
  'of',
  'the',
  'tree',
  'money',
  'state',
  'war',
];

/** The knowledge graph of a teacher that nobody trained. `mark` changes the names of all that comes from outside. */
export function syntheticGraph(
  labels: readonly string[],
  mark = (name: string) => name,
  layers = LAYERS,
): GraphReport {
  const random = randomStream(3, 'synthetic-graph');
  const teacher: ModelAnatomy = {
    family: 'transformer',
    features: 'embeddings',
    layers: Array.from({ length: layers }, (_, layer) => ({
      name: mark(`layer_${layer}`),
      hidden: { name: `hidden ${layer}`, width: 16 },
      attention: { probabilities: `probabilities ${layer}`, heads: HEADS },
    })),
  };
  const sums = new AttributionSums(teacher, labels.length);
  const draw = (count: number, scale = 1) =>
    Float32Array.from({ length: count }, () => scale * random.uniform() ** 3);
  for (let sample = 0; sample < SAMPLES; sample++) {
    sums.add(
      {
        logits: draw(labels.length),
        input: draw(PLACES),
        layers: teacher.layers.map((_, layer) => ({
          places: draw(PLACES),
          update: draw(PLACES, 1 + layer / 2),
          units: draw(PLACES * HEADS),
        })),
      },
      () => Array.from({ length: PLACES }, () => mark(TOKENS[random.integer(TOKENS.length)] as string)),
    );
  }
  const source = { teacher: 'teacher', sample: 'sample', unit: 'texts' } as const;
  const graph = drawGraph(sums, { teacher, labels, source });
  const nameOf = (layer: number) => teacher.layers[layer]?.name ?? '';
  return {
    graph,
    layers: layerMapFromGraph(graph, 2).map((pair) => ({
      student: mark(`layer_${pair.student}`),
      teacher: nameOf(pair.teacher),
      weight: pair.weight,
    })),
    chosenBy: 'graph',
  };
}

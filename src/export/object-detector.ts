import type { Graph } from '../onnx/graph.ts';
import { idsOf } from '../targets/class-ids.ts';
import { type BoxMaps, withDetections } from './detection-outputs.ts';
import {
  additionAs,
  CONFIG_FILE,
  jsonFile,
  modelsAs,
  type PackageAddition,
  writePackage,
} from './package-folder.ts';
import type { ByPrecision } from './precisions.ts';

/** A detector that is to leave in the layout of the Hugging Face hub. */
export interface ObjectDetectorPackage {
  /** Input `pixel_values`, float32 [batch, channels, height, width]; maps of boxes among its outputs. */
  readonly model: Graph;
  /** The same in int8, or null. */
  readonly quantized: Graph | null;
  /** The same in further precisions. */
  readonly further?: ByPrecision<Graph> | undefined;
  readonly addition?: PackageAddition | undefined;
  /** The student's kind, as in the recipe. */
  readonly architecture: string;
  readonly labels: readonly string[];
  readonly maps: BoxMaps;
  /** What the output is read with: `grid`, `threshold`; `outputs` by name where there are several. */
  readonly config: Readonly<Record<string, unknown>>;
  /** [channels, height, width] of the training images. */
  readonly dims: readonly [number, number, number];
  /** The content of preprocessor_config.json. */
  readonly preprocessor: Uint8Array;
}

/**
 * Writes a detector so that `pipeline('object-detection')` of transformers.js loads it: its model answers with the boxes
 * themselves (`withDetections`). The maps stay among its outputs, for readers that decode them on their own (`decodeBoxes`).
 */
export function writeObjectDetector(folder: string, content: ObjectDetectorPackage): void {
  const { maps, labels, dims, architecture, config } = content;
  const own = JSON.parse(new TextDecoder().decode(content.preprocessor)) as Record<string, unknown>;
  const shipped = modelsAs(content, (graph) => withDetections(graph, maps));
  const { models, files } = additionAs(content.addition, (model) => model);
  const written = [
    jsonFile(CONFIG_FILE, {
      // transformers.js chooses the class that runs a model by `model_type`, from a fixed list. YOLOS's is one that feeds
      // `pixel_values` and reads `logits` and `pred_boxes`, whatever the network is.
      model_type: 'yolos',
      architectures: ['YolosForObjectDetection'],
      ...idsOf(labels),
      num_channels: dims[0],
      image_size: [dims[1], dims[2]],
      limbeck: { architecture, task: 'object-detection', output: maps.output, ...config },
    }),
    // Of the classes of transformers that find boxes in such answers, the one that does no more to an image than is asked for.
    jsonFile('preprocessor_config.json', { ...own, image_processor_type: 'YolosImageProcessor' }),
    ...files,
  ];
  writePackage(folder, shipped, written, models);
}

import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';

/** Maps of boxes among a model's outputs, as the target `boxes` has them. */
export interface BoxMaps {
  /** The name of the output: float32 [batch, 4 + classes, rows, columns]. */
  readonly output: string;
  readonly classes: number;
  readonly rows: number;
  readonly columns: number;
}

/** As many boxes are answered, at most: those that are measured. */
const MOST_BOXES = 100;
/** Maps before those of the classes: width, height, and offset across and down, in cells. */
const SIZES = 4;
const NO_SCORE = -1e4;

/**
 * The model with the boxes themselves among its outputs, as transformers has them for detectors like YOLOS and DETR: `logits`,
 * float32 [batch, boxes, classes + 1], whose softmax is the box's score in its class, and `pred_boxes`, float32 [batch, boxes,
 * 4], centre and size as parts of width and height. The boxes are the peaks of the heat maps (no neighbour in 3x3 is higher,
 * which a max pooling finds), the best ones first.
 *
 * What is left of 1 beside a score is shared by all other classes and "no object", the last one, alike: alone, "no object" would
 * hide every box below a half from readers that take the largest.
 *
 * Zhou, Wang and Kraehenbuehl, "Objects as Points" (2019), section 3 ("From points to bounding boxes").
 */
export function withDetections(graph: Graph, { output, classes, rows, columns }: BoxMaps): Graph {
  const g = new GraphBuilder(graph.opsets.get(''));
  const inputs = graph.inputs.map(({ name, type, shape }) => {
    if (!type || !shape) throw new Error(`the model's input ${name} has no known shape`);
    return [name, g.input(name, type, shape)] as const;
  });
  const values = g.inline(graph, new Map(inputs));
  const outputs = graph.outputs.map(({ name }) => [name, values.get(name) as TypedValue] as const);
  const maps = outputs.find(([name]) => name === output)?.[1];
  if (!maps) throw new Error(`the model has no output ${output}`);
  const { logits, boxes } = g.scope('detections', () => detect(g, maps, classes, rows, columns));
  g.output(logits, 'logits');
  g.output(boxes, 'pred_boxes');
  for (const [name, value] of outputs) g.output(value, name);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}

function detect(g: GraphBuilder, maps: TypedValue, classes: number, rows: number, columns: number) {
  const cells = rows * columns;
  const heat = g.slice(maps, 1, SIZES, SIZES + classes);
  const highest = g.op('MaxPool', [heat], { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] });
  const peaks = g.where(g.greaterOrEqual(heat, highest), heat, NO_SCORE);
  const most = Math.min(MOST_BOXES, classes * cells);
  const [best, places] = g.node(
    'TopK',
    [g.reshape(peaks, [0, classes * cells]), g.ints([most])],
    { axis: 1 },
    { outputs: 2 },
  );
  const score = g.sigmoid(best as TypedValue);
  const place = places as TypedValue;
  const whole = g.scalar(cells, 'int64');
  const kind = g.div(place, whole);
  const cell = g.sub(place, g.mul(kind, whole));
  const across = g.scalar(columns, 'int64');
  const row = g.div(cell, across);
  const column = g.sub(cell, g.mul(row, across));

  const sizes = g.reshape(g.slice(maps, 1, 0, SIZES), [0, SIZES, cells]);
  const own = Array.from({ length: SIZES }, () => g.unsqueeze(cell, [1]));
  const found = g.gatherElements(sizes, g.concat(own, 1), 2);
  const numbers = Array.from({ length: SIZES }, (_, i) => g.squeeze(g.slice(found, 1, i, i + 1), [1])) as [
    TypedValue,
    TypedValue,
    TypedValue,
    TypedValue,
  ];
  const [width, height, right, down] = numbers;
  const parts = [
    g.mul(g.add(g.cast(column, 'float32'), right), 1 / columns),
    g.mul(g.add(g.cast(row, 'float32'), down), 1 / rows),
    g.mul(width, 1 / columns),
    g.mul(height, 1 / rows),
  ];
  const boxes = g.concat(
    parts.map((part) => g.unsqueeze(part, [2])),
    2,
  );

  const left = g.sub(1, score);
  const equal = g.mul(left, 1 / classes);
  // A score that would not be the largest: all that is left goes to "no object", which hides the box, as it should.
  const hidden = g.lessOrEqual(score, equal);
  const others = g.where(hidden, 0, equal);
  const none = g.where(hidden, left, equal);
  const isKind = g.oneHot(kind, classes + 1);
  const isNone = g.constant(float32(Array.from({ length: classes + 1 }, (_, i) => (i === classes ? 1 : 0))));
  const each = (x: TypedValue) => g.unsqueeze(x, [2]);
  const shares = g.add(
    g.add(each(others), g.mul(isKind, each(g.sub(score, others)))),
    g.mul(isNone, each(g.sub(none, others))),
  );
  const logits = g.log(g.max(shares, g.constant(float32([1e-12]))));
  return { logits, boxes };
}

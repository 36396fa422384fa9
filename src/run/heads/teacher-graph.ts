import type { ColumnSpec } from '../../data/columns.ts';
import type { Graph } from '../../onnx/graph.ts';
import { openModelFile } from '../../onnx/node-files.ts';
import { bindDims } from '../../onnx/passes/bind-dims.ts';
import type { TaskData } from '../context/task.ts';

/** Only what is large is left in the file: gradients look at small constants again and again. */
const KEPT_IN_FILE_FROM = 2 ** 22;

/**
 * A teacher's graph, to look into: at the sizes of the recipe's images and clips where it is open about them. Its large weights
 * stay in the file.
 */
export function readTeacherGraph(file: string, { dataset }: Pick<TaskData, 'dataset'>): Graph {
  return atSizesOf(dataset.columns, openModelFile(file, KEPT_IN_FILE_FROM).graph);
}

/**
 * A graph whose open sizes are those of the columns that it is fed. What a student ships as hears clips of any length; how many
 * frames it makes of a clip is known only for one length.
 */
export function atSizesOf(columns: readonly ColumnSpec[], graph: Graph): Graph {
  const sizes: Record<string, number> = {};
  for (const { name, shape = [] } of graph.inputs) {
    const wanted = columns.find((column) => column.name === name)?.shape ?? [];
    if (wanted.length !== shape.length - 1) continue;
    for (const [axis, size] of wanted.entries()) {
      const dim = shape[axis + 1];
      if (typeof dim === 'string' && typeof size === 'number') sizes[dim] = size;
    }
  }
  return Object.keys(sizes).length > 0 ? bindDims(graph, sizes) : graph;
}

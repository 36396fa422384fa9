import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { openModelFile, readModelFile } from '../onnx/node-files.ts';
import { misfit } from '../onnx/operator-forms.ts';
import { OPSET_RANGE, requireOpset } from '../onnx/passes/upgrade-opset/upgrade-opset.ts';
import { tensorByteLength } from '../onnx/stored-tensor.ts';
import { subgraphsOf } from '../onnx/used-values.ts';
import { readdirSync, statSync } from '../platform/files.ts';
import { freeMemory } from '../platform/machine.ts';
import { dirname, join, resolve } from '../platform/paths.ts';
import { sizeInWords, type WrittenSize } from '../size-in-bytes.ts';

/** A teacher's model, and what a person should know of its size. */
export interface ReadTeacher {
  readonly graph: Graph;
  /** Where it is larger than what is free: what to do. */
  readonly advice: readonly string[];
}

/** A model that runs whole is there twice for a moment: as its file has it, and as the engine's kernels want it. */
const COPIES = 2;

/**
 * Reads a teacher's model. With a bound of memory, and where the weights are larger than the memory that is free, they are left
 * in their file and read when they are looked at.
 *
 * @throws LimbeckError as `readModelFile`; `model.opset` and `teacher.operators` for one that no engine can run
 */
export function readTeacherFile(path: string, memory?: WrittenSize, free = freeMemory()): ReadTeacher {
  const read = readWithin(path, memory, free);
  requireOpset(read.graph, path);
  requireOperators(read.graph, path, read.graph.opsets.get(''));
  return read;
}

/** The domains of ONNX Runtime's own operators. */
const DOMAINS = /^(ai\.onnx(\..*)?|com\.microsoft(\..*)?|com\.ms\..*|org\.pytorch\.aten|)$/;

/** What the engine does not load would be told only after the data are prepared. */
function requireOperators(graph: Graph, path: string, opset: number = OPSET_RANGE.newest): void {
  for (const node of graph.nodes) {
    const odd = misfit(node, opset);
    if (odd) {
      throw new LimbeckError(
        'teacher.operators',
        `the model does not fit its opset, ${opset}: ${odd.problem}`,
        {
          where: `${path}: node '${node.name}' (${node.opType})`,
          remedy: odd.remedy,
        },
      );
    }
    if (!DOMAINS.test(node.domain)) {
      throw new LimbeckError(
        'teacher.operators',
        `the model has an operator of its own, ${node.domain}::${node.opType}, which ONNX Runtime does not know`,
        {
          where: `${path}: node '${node.name}'`,
          remedy: 'Export it with standard operators, or with a function that says what it computes.',
        },
      );
    }
    for (const inner of subgraphsOf(node)) requireOperators(inner, path, opset);
  }
}

function readWithin(path: string, memory: WrittenSize | undefined, free: number | undefined): ReadTeacher {
  if (memory === undefined && (free === undefined || COPIES * bytesBeside(path) <= free))
    return { graph: readModelFile(path), advice: [] };
  const { graph } = openModelFile(path);
  if (memory !== undefined || free === undefined) return { graph, advice: [] };
  let bytes = 0;
  for (const tensor of graph.initializers.values()) bytes += tensorByteLength(tensor);
  if (COPIES * bytes <= free) return { graph: readModelFile(path), advice: [] };
  return {
    graph,
    advice: [
      `the teacher's weights take ${sizeInWords(bytes)}, and ${sizeInWords(free)} of memory are free: set teacher.memory (${advisedSize(free)}, say), and it is asked in parts that fit`,
    ],
  };
}

/** The most that a model and its data can have: the bytes of all files in its folder. */
function bytesBeside(path: string): number {
  const folder = dirname(resolve(path));
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return 0;
  return readdirSync(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** Half of what is free, as a recipe says it. */
function advisedSize(free: number): string {
  const half = free / 2;
  return half >= 2e9 ? `${Math.floor(half / 1e9)}GB` : `${Math.max(1, Math.floor(half / 1e6))}MB`;
}

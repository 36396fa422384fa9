import type { Engine, Session } from '../../engine/engine.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import { exampleShapes } from '../../onnx/anatomy/example-shapes.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeReferringFile } from '../../onnx/node-files/write-referring.ts';
import { cutIntoParts, type ModelPart } from '../../onnx/parts/cut-into-parts.ts';
import { graphCosts } from '../../onnx/parts/part-costs.ts';
import { rmSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import { isMemberLength } from '../several/combine.ts';

/** Within what a model runs. */
export interface MemoryBound {
  /** Bytes that a part may take: its weights, and the values of a batch. */
  readonly memory: number;
  /** Rows of a batch, and the length that texts are padded to at most. */
  readonly rows: number;
  readonly length: number;
  /** Where parts are written, and what goes from one to the next: the folder that the model's weights lie in. */
  readonly folder: string;
  /** Shapes of a sample in columns that are not tokens, by name: `pixel_values` -> [3, 224, 224]. */
  readonly samples: ReadonlyMap<string, readonly number[]>;
}

/** What goes from a part to later ones. */
export interface CarriedValue {
  readonly name: string;
  /** The part that makes it, and the last one that reads it; answers are read when all parts are through. */
  readonly from: number;
  readonly until: number;
  /** Bytes for one token, where it has one place for each token, float32 [batch, sequence, ...]; else for one sample. */
  readonly bytes: number;
  readonly isByToken: boolean;
}

/** A model that runs part by part, of which one is loaded at a time. */
export interface PartedModel {
  readonly graph: Graph;
  readonly parts: readonly ModelPart[];
  readonly carried: readonly CarriedValue[];
  /** Values, float32 [batch, sequence, ...], that have a place for each token, by name. */
  readonly byToken: ReadonlySet<string>;
  /** Loads a part; the caller releases it before the next one. */
  open(part: number): Promise<Session>;
}

/**
 * Cuts a model into parts that fit a bound of memory.
 *
 * @param graph its weights in files (`openModelFile`)
 * @throws LimbeckError `teacher.memory` where a part cannot be small enough
 */
export function partedModel(
  graph: Graph,
  { engine, title, bound }: { readonly engine: Engine; readonly title: string; readonly bound: MemoryBound },
): PartedModel {
  const shapes = fedShapes(graph, bound);
  const waists = describeModel(graph).layers.flatMap(({ hidden, features }) => [
    hidden?.name,
    features?.name,
  ]);
  const parts = cutIntoParts(graph, {
    memory: bound.memory,
    shapes,
    waists: new Set(waists.filter((name) => name !== undefined)),
  });
  const byToken = tokenValues(graph);
  return {
    graph,
    parts,
    byToken,
    carried: carriedValues(graph, parts, { shapes, bound, byToken }),
    async open(part) {
      const file = join(bound.folder, `part-${part + 1}-of-${parts.length}.onnx`);
      const files = writeReferringFile(file, (parts[part] as ModelPart).graph);
      const remove = () => {
        for (const path of files) rmSync(path, { force: true });
      };
      try {
        // A block for the whole of a run would be kept beside the weights.
        const session = await engine.load(file, {
          title: parts.length > 1 ? `part ${part + 1} of ${title}` : title,
          memoryPattern: false,
        });
        return {
          ...session,
          async release() {
            await session.release();
            remove();
          },
        };
      } catch (error) {
        remove();
        throw error;
      }
    },
  };
}

function fedShapes(
  { inputs }: Graph,
  { rows, length, samples }: MemoryBound,
): Map<string, readonly number[]> {
  return new Map(
    inputs.map(({ name, shape = [] }) => {
      const own = samples.get(name);
      // What is open beside the batch is the length of a text, or a size that the samples have.
      const dims = shape
        .slice(1)
        .map((dim, axis) => (typeof dim === 'number' ? dim : (own?.[axis] ?? length)));
      return [name, [rows, ...dims]];
    }),
  );
}

function carriedValues(
  graph: Graph,
  parts: readonly ModelPart[],
  {
    shapes,
    bound: { rows, length },
    byToken,
  }: {
    readonly shapes: ReadonlyMap<string, readonly number[]>;
    readonly bound: MemoryBound;
    readonly byToken: ReadonlySet<string>;
  },
): CarriedValue[] {
  const { bytes } = graphCosts(graph, shapes);
  const bytesOf = new Map([...bytes].map(([{ name }, own]) => [name, own ?? 0]));
  const last = parts.length - 1;
  return parts.flatMap(({ carriedOut, answers }, from) => {
    const untils = new Map(carriedOut);
    if (from < last) for (const name of answers) untils.set(name, last);
    return [...untils].map(([name, until]): CarriedValue => {
      const isByToken = byToken.has(name);
      return {
        name,
        from,
        until,
        isByToken,
        bytes: (bytesOf.get(name) ?? 0) / (isByToken ? rows * length : rows),
      };
    });
  });
}

/** The length of texts by another tokenizer in the example: none of its other sizes. */
const OTHER_LENGTH = 17;

/**
 * Values that have a place for each token: told from an example, where the batch and the length of texts are other primes. Of
 * several teachers these are tokens of the student's tokenizer: those of another one lie at other places, with their padding.
 */
function tokenValues(graph: Graph): ReadonlySet<string> {
  const texts = graph.inputs.filter(({ shape }) => shape?.length === 2);
  const others = texts.flatMap(({ shape }) => shape?.filter(isMemberLength) ?? []);
  const ids = texts.find(({ shape }) => !shape?.some(isMemberLength));
  const shapes = exampleShapes(graph, new Map(others.map((length) => [length, OTHER_LENGTH])));
  const [batch, length] = (ids && shapes.get(ids)?.shape) || [];
  const found = new Set<string>();
  for (const [{ name }, { type, shape }] of shapes)
    if (type === 'float32' && shape && shape.length > 2 && shape[0] === batch && shape[1] === length)
      found.add(name);
  return found;
}

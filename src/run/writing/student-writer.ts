import type { Engine, Session } from '../../engine/engine.ts';
import type { Decoder } from '../../generate/decoder.ts';
import { sessionDecoder } from '../../generate/session-decoder.ts';
import type { Graph } from '../../onnx/graph.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { withKeyValueCache } from '../../students/key-value-cache.ts';
import type { Student } from '../../students/student.ts';
import { trainedTensors } from '../../train/step-graph.ts';

/** The output of a decoder that texts are drawn from. */
const LOGITS = 'logits';

/**
 * A student that writes while it is trained, with the weights that it has by then: its graph with a cache of keys and values,
 * whose weights are inputs, so that nothing is loaded anew when they change.
 */
export class StudentWriter {
  readonly #session: Session;
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #maxLength: number;

  private constructor(session: Session, tensors: ReadonlyMap<string, Tensor>, maxLength: number) {
    this.#session = session;
    this.#tensors = tensors;
    this.#maxLength = maxLength;
  }

  /**
   * @param maxLength tokens that it has positions for
   * @throws LimbeckError `export.no-cache` for a student that is no decoder of ours
   */
  static async open(
    engine: Pick<Engine, 'load'>,
    student: Student,
    maxLength: number,
  ): Promise<StudentWriter> {
    const tensors = trainedTensors(student);
    const model = writeModel(writingGraph(student, tensors));
    const session = await engine.load(model, { title: 'the student as it writes', spinning: false });
    return new StudentWriter(session, tensors, maxLength);
  }

  /** @param parameters all of the student's, by name; read in place while it writes */
  decoder(parameters: ReadonlyMap<string, Float32Array>): Decoder {
    const weights: Record<string, Tensor> = {};
    for (const [name, tensor] of this.#tensors)
      weights[name] = { ...tensor, data: parameters.get(name) ?? tensor.data } as Tensor;
    const session = this.#session;
    const inputNames = session.inputNames.filter((name) => !(name in weights));
    const reading: Session = {
      ...session,
      inputNames,
      outputNames: session.outputNames,
      ...(session.inputMetadata && {
        inputMetadata: session.inputMetadata.filter(({ name }) => !(name in weights)),
      }),
      run: (feeds, fetches) => session.run({ ...weights, ...feeds }, fetches),
      release: () => session.release(),
    };
    return sessionDecoder(reading, { maxLength: this.#maxLength, title: 'the student' });
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** The graph of a student as it writes: its weights are inputs. */
export function writingGraph({ graph }: Pick<Student, 'graph'>, weights: ReadonlyMap<string, Tensor>): Graph {
  const cached = withKeyValueCache(withOutputs(graph, [LOGITS]));
  const initializers = [...cached.initializers];
  const moved = initializers.filter(([{ name }]) => weights.has(name));
  return {
    ...cached,
    inputs: [...cached.inputs, ...moved.map(([value]) => value)],
    initializers: new Map(initializers.filter(([{ name }]) => !weights.has(name))),
  };
}

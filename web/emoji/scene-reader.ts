import type { Engine, Session } from '../../src/engine/engine.ts';
import { writingSession } from '../../src/generate/writing-session.ts';
import { float32, type Tensor } from '../../src/onnx/tensor.ts';
import { type DetectedBox, decodeBoxes } from '../../src/targets/decode-boxes.ts';
import { writtenOutput } from '../../src/targets/head.ts';
import { writtenSentence } from '../../src/targets/sentence-words.ts';
import {
  LOOKING_FILE,
  PIXELS_FILE,
  SCENE_FACTS_FILE,
  type SceneModelFacts,
  WRITING_FILE,
} from './scene-files.ts';

/** What a model says of a picture. */
export interface Read {
  readonly boxes: readonly DetectedBox[];
  readonly sentence: string;
  /** Milliseconds to look at the image, and to write the sentence. */
  readonly looking: number;
  readonly writing: number;
}

/** A model that reads pictures. */
export interface SceneReader {
  readonly facts: SceneModelFacts;
  read(picture: number): Promise<Read>;
}

/** Loads both files of a model, and the pictures as it reads them. */
export async function loadSceneReader(engine: Engine, folder: string): Promise<SceneReader> {
  const bytes = async (name: string) => {
    const response = await fetch(`${folder}/${name}`);
    if (!response.ok) throw new Error(`${folder}/${name} is not there (${response.status})`);
    return response.arrayBuffer();
  };
  const facts = JSON.parse(new TextDecoder().decode(await bytes(SCENE_FACTS_FILE))) as SceneModelFacts;
  const images = new Float32Array(await bytes(PIXELS_FILE));
  const load = async (name: string) =>
    engine.load(new Uint8Array(await bytes(name)), { title: `${folder}/${name}` });
  const looks = timed(await load(LOOKING_FILE));
  const session = writingSession(looks.session, await load(WRITING_FILE), facts.writer);
  const { boxes, writer, dims } = facts;
  const written = writtenOutput(writer.output);
  const size = dims.reduce((product, one) => product * one, 1);
  return {
    facts,
    async read(picture) {
      const pixels = float32(images.slice(picture * size, (picture + 1) * size), [1, ...dims]);
      const began = performance.now();
      const said = await session.run({ pixel_values: pixels }, { [boxes.output]: null, [written]: null });
      const whole = performance.now() - began;
      const looking = looks.last();
      const [found = []] = decodeBoxes(said[boxes.output] as Tensor, boxes.labels, boxes);
      const words = (said[written] as Tensor).data as Int32Array;
      return {
        boxes: found,
        sentence: writtenSentence(words, writer.words),
        looking,
        writing: whole - looking,
      };
    },
  };
}

/** A session, and the milliseconds of its last call. */
function timed(session: Session): { session: Session; last(): number } {
  let last = 0;
  return {
    last: () => last,
    session: {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      ...(session.inputMetadata && { inputMetadata: session.inputMetadata }),
      release: () => session.release(),
      async run(feeds, fetches) {
        const began = performance.now();
        const answers = await session.run(feeds, fetches);
        last = performance.now() - began;
        return answers;
      },
    },
  };
}

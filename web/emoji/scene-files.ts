import type { DetectedBox } from '../../src/targets/decode-boxes.ts';
import type { WriterFacts } from '../../src/targets/writer-facts.ts';

/** Pictures that the page reads with models of three heads, with what is true of them. */
export interface Scenes {
  /** Pixels of a picture along both sides. */
  readonly side: number;
  readonly pictures: readonly {
    readonly boxes: readonly Pick<DetectedBox, 'label' | 'box'>[];
    readonly sentence: string;
  }[];
}

/** One model of three heads, as its folder has it. */
export interface SceneModelFacts {
  readonly title: string;
  /** Of both its files. */
  readonly bytes: number;
  /** [channels, height, width] of an image as it reads it. */
  readonly dims: readonly [number, number, number];
  readonly boxes: { readonly output: string; readonly labels: readonly string[]; readonly threshold: number };
  readonly writer: WriterFacts;
}

/** Whether the page has a second tab: what it shows there. */
export const TABS_FILE = 'tabs.json';
export interface Tabs {
  readonly scenes: boolean;
}

export const SCENES_FOLDER = 'scenes';
export const SCENES_FILE = 'scenes.json';
/** The pictures under each other. */
export const STRIP_FILE = 'pictures.png';
/** In the folder of a model: its facts, the images as it reads them (float32), and its two files. */
export const SCENE_FACTS_FILE = 'facts.json';
export const PIXELS_FILE = 'pixels.bin';
export const LOOKING_FILE = 'model.onnx';
export const WRITING_FILE = 'decoder_model.onnx';

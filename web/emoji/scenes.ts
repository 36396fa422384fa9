import type { Engine } from '../../src/engine/engine.ts';
import type { DetectedBox } from '../../src/targets/decode-boxes.ts';
import { SCENES_FILE, SCENES_FOLDER, type Scenes, STRIP_FILE } from './scene-files.ts';
import { loadSceneReader, type SceneReader } from './scene-reader.ts';

/** Pixels of a picture on the page, along both sides. */
const SHOWN = 288;
const SMALL = 64;

/** Fills the tab of pictures, once: models are loaded when it is first looked at. */
export async function startScenes(
  engine: Engine,
  address: (path: string) => string,
  tab: HTMLElement,
): Promise<void> {
  const status = tab.querySelector('[role="status"]') as HTMLElement;
  const inFolder = (path: string) => address(`${SCENES_FOLDER}/${path}`);
  const scenes = (await (await fetch(inFolder(SCENES_FILE))).json()) as Scenes;
  // One after the other: a download and a compilation at a time.
  const readers = [
    await loadSceneReader(engine, inFolder('teacher')),
    await loadSceneReader(engine, inFolder('student')),
  ];
  for (const reader of readers) await reader.read(0);
  const place = tab.querySelector('#readers') as HTMLElement;
  const truth = tab.querySelector('#truth') as HTMLElement;
  const panels = readers.map((reader) => panel(reader, place));
  let asked = 0;
  const show = async (picture: number) => {
    const number = ++asked;
    const { boxes, sentence } = scenes.pictures[picture] as Scenes['pictures'][0];
    truth.textContent = `In truth: ${sentence} (${boxes.length} ${boxes.length === 1 ? 'thing' : 'things'})`;
    for (const one of panels) {
      if (number !== asked) return;
      await one.show(picture);
    }
  };
  const choices = tab.querySelector('#pictures') as HTMLElement;
  const drawn = (picture: number, side: number) =>
    `background: url(${inFolder(STRIP_FILE)}) 0 -${picture * side}px / ${side}px auto; width: ${side}px; height: ${side}px`;
  for (const picture of scenes.pictures.keys()) {
    const choice = document.createElement('button');
    choice.type = 'button';
    choice.setAttribute('aria-label', `Picture ${picture + 1}`);
    choice.setAttribute('style', drawn(picture, SMALL));
    choice.addEventListener('click', () => show(picture));
    choices.append(choice);
  }
  status.textContent = `${scenes.pictures.length} pictures that no model has learnt.`;
  await show(0);

  /** The column of a model. */
  function panel({ facts, read }: SceneReader, parent: HTMLElement) {
    const section = document.createElement('section');
    section.dataset.model = facts.title;
    const heading = document.createElement('h2');
    heading.textContent = `${facts.title}, ${(facts.bytes / 1e6).toFixed(1)} MB`;
    const time = document.createElement('p');
    time.className = 'time';
    const image = document.createElement('div');
    image.className = 'scene';
    const sentence = document.createElement('p');
    sentence.className = 'sentence';
    section.append(heading, time, image, sentence);
    parent.append(section);
    return {
      async show(picture: number): Promise<void> {
        const said = await read(picture);
        time.textContent = `${said.looking.toFixed(2)} ms to look, ${said.writing.toFixed(2)} ms to write`;
        image.setAttribute('style', drawn(picture, SHOWN));
        image.replaceChildren(...said.boxes.map(boxElement));
        sentence.textContent = said.sentence || '(it writes nothing)';
      },
    };
  }
}

function boxElement({ label, score, box }: DetectedBox): HTMLElement {
  const [left, top, right, bottom] = box.map((part) => Math.min(1, Math.max(0, part)) * 100) as [
    number,
    number,
    number,
    number,
  ];
  const frame = document.createElement('span');
  frame.className = 'box';
  frame.style.left = `${left}%`;
  frame.style.top = `${top}%`;
  frame.style.width = `${right - left}%`;
  frame.style.height = `${bottom - top}%`;
  const name = document.createElement('span');
  name.textContent = `${label} ${Math.round(100 * score)} %`;
  frame.append(name);
  return frame;
}

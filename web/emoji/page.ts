import { createWebEngine } from '../../src/engine/web.ts';
import { type Finder, type Found, loadFinder } from './finder.ts';
import { GALLERY_FILE, type Gallery, SHEET_FILE } from './gallery.ts';
import { TABS_FILE, type Tabs } from './scene-files.ts';
import { startScenes } from './scenes.ts';
import { connectTabs } from './tabs.ts';

/** Drawings that are shown of each model. */
const SHOWN = 12;

const word = document.querySelector('#word') as HTMLInputElement;
const status = document.querySelector('#status') as HTMLElement;
const examples = [...document.querySelectorAll<HTMLButtonElement>('#examples button')];
const models = document.querySelector('#models') as HTMLElement;

const address = (path: string) => new URL(path, document.baseURI).href;

const engine = createWebEngine({
  ort: () => import(/* @vite-ignore */ address('ort/ort.wasm.min.mjs')),
});

start().catch((error: unknown) => failed(status, error));
startTabs().catch((error: unknown) => failed(status, error));

function failed(place: Element, error: unknown): never {
  place.textContent = `The page cannot start: ${(error as Error).message}`;
  throw error;
}

/** The second tab is there where the page was built with models for it. */
async function startTabs(): Promise<void> {
  const { scenes } = (await (await fetch(address(TABS_FILE))).json()) as Tabs;
  if (!scenes) return;
  const tabs = document.querySelector('#tabs') as HTMLElement;
  const second = document.querySelector('#scenes') as HTMLElement;
  let isStarted = false;
  connectTabs(tabs, (panel) => {
    if (panel !== second || isStarted) return;
    isStarted = true;
    startScenes(engine, address, second).catch((error: unknown) =>
      failed(second.querySelector('[role="status"]') as Element, error),
    );
  });
  tabs.hidden = false;
}

async function start(): Promise<void> {
  const gallery = (await (await fetch(address(GALLERY_FILE))).json()) as Gallery;
  // One after the other: a download and a compilation at a time.
  const teacher = panel(await loadFinder(engine, address('teacher')), gallery);
  const student = panel(await loadFinder(engine, address('student')), gallery);
  for (const one of [teacher, student]) await one.show('warm up');
  for (const one of [teacher, student]) one.clear();
  status.textContent = `${gallery.names.length.toLocaleString('en')} drawings.`;
  word.disabled = false;
  word.focus();
  for (const example of examples) {
    example.disabled = false;
    example.addEventListener('click', () => {
      word.value = example.textContent as string;
      word.dispatchEvent(new Event('input'));
    });
  }
  let asked = 0;
  word.addEventListener('input', async () => {
    const number = ++asked;
    const text = word.value.trim();
    for (const one of [teacher, student]) {
      if (number !== asked) return;
      if (text === '') one.clear();
      else await one.show(text);
    }
  });
}

/** The column of a model. */
function panel(finder: Finder, gallery: Gallery) {
  const { title, bytes } = finder.facts;
  const section = document.createElement('section');
  section.dataset.model = title;
  const heading = document.createElement('h2');
  heading.textContent = `${title}, ${(bytes / 1e6).toFixed(1)} MB`;
  const time = document.createElement('p');
  time.className = 'time';
  const list = document.createElement('ol');
  section.append(heading, time, list);
  models.append(section);
  return {
    clear(): void {
      time.textContent = '';
      list.replaceChildren();
    },
    async show(text: string): Promise<void> {
      const found = await finder.find(text, SHOWN);
      time.textContent = timeOf(found);
      list.replaceChildren(...found.drawings.map((drawing) => entry(gallery, drawing)));
    },
  };
}

function timeOf({ embedding, search }: Found): string {
  return `${embedding.toFixed(2)} ms for the word, ${search.toFixed(2)} ms to search`;
}

function entry({ names, side, columns }: Gallery, drawing: number): HTMLElement {
  const item = document.createElement('li');
  const figure = document.createElement('figure');
  const image = document.createElement('span');
  const caption = document.createElement('figcaption');
  image.className = 'drawing';
  image.style.width = `${side}px`;
  image.style.height = `${side}px`;
  const [column, row] = [drawing % columns, Math.floor(drawing / columns)];
  image.style.background = `url(${address(SHEET_FILE)}) -${column * side}px -${row * side}px`;
  caption.textContent = names[drawing] as string;
  figure.append(image, caption);
  item.append(figure);
  return item;
}

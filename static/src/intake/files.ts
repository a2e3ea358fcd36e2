/** Files that a person chose or dropped, with their paths below what was chosen. */

export interface Chosen {
  readonly path: string;
  readonly file: File;
}

const OF_SYSTEMS = new Set([".ds_store", "thumbs.db", "desktop.ini", ".localized"]);

/** What file managers leave in folders and nobody means to upload. */
export function isOfSystem(path: string): boolean {
  const parts = path.toLowerCase().split("/");
  const name = parts[parts.length - 1] as string;
  return OF_SYSTEMS.has(name) || name.startsWith("._") || parts.includes("__macosx");
}

export function fromInput(input: HTMLInputElement): Chosen[] {
  return [...(input.files ?? [])].map((file) => ({
    path: file.webkitRelativePath || file.name,
    file,
  }));
}

/** Reads what was dropped, folders with all that is in them. */
export async function fromDrop(transfer: DataTransfer): Promise<Chosen[]> {
  // The list is emptied when the event is over: take the entries at once.
  const entries = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  const found: Chosen[] = [];
  for (const entry of entries) await walk(entry, entry.name, found);
  return found;
}

async function walk(entry: FileSystemEntry, path: string, found: Chosen[]): Promise<void> {
  if (entry.isFile) {
    found.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives at most 100 entries at a time, and none at the end.
  for (let part = await read(reader); part.length > 0; part = await read(reader)) {
    for (const child of part) await walk(child, `${path}/${child.name}`, found);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function read(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

/** One database in this browser for what must outlive the page. */

const NAME = "readerstudy";
const VERSION = 1;
export const ANSWERS = "answers";
export const DRAFTS = "drafts";

export function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const answers = request.result.createObjectStore(ANSWERS, { keyPath: "key" });
      answers.createIndex("owner", "owner");
      request.result.createObjectStore(DRAFTS, { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The database did not open"));
    request.onblocked = () => reject(new Error("Another window holds an older page open"));
  });
}

/** Runs one request in its own transaction; resolves when the data is on disk. */
export function transact<T>(
  database: IDBDatabase,
  store: string,
  mode: IDBTransactionMode,
  make: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode, { durability: "strict" });
    const request = make(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    const failed = () => reject(transaction.error ?? new Error("The database wrote nothing"));
    transaction.onerror = failed;
    transaction.onabort = failed;
  });
}

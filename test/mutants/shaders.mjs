export async function plantInShaders() {
  return [];
}

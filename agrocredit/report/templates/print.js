// What is folded on the screen is unfolded on paper.
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("section > details").forEach((folded) => { folded.open = true; });
});

// A figure that is shown smaller than it is leads to itself at full size.
window.addEventListener("load", () => {
  for (const image of document.querySelectorAll(".bd-article img")) {
    if (image.naturalWidth <= image.clientWidth || image.closest("a")) continue;
    const link = document.createElement("a");
    link.href = image.src;
    link.className = "enlarge";
    link.title = "Full size";
    image.replaceWith(link);
    link.append(image);
  }
});

for (const [mark, xml] of Object.entries(maps)) {
  const frame = document.getElementById(`frame-${mark}`);
  const live = document.createElement("div");
  live.className = "live";
  live.setAttribute("aria-hidden", "true");
  frame.append(live);
  const viewer = new BpmnJS({ container: live });
  viewer.importXML(xml).then(() => {
    frame.classList.add("drawn");
    viewer.get("canvas").zoom("fit-viewport");
  }).catch(() => live.remove());
}

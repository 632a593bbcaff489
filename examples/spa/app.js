const list = document.getElementById("cart")

const answer = await fetch("/api/cart")
for (const thing of await answer.json()) {
	const item = document.createElement("li")
	item.textContent = thing // never innerHTML: require-trusted-types-for would report it
	list.append(item)
}

document.getElementById("log-out").addEventListener("click", async () => {
	await fetch("/log-out", {method: "POST"})
	list.replaceChildren()
})

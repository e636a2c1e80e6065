// Owns sending the sign-in on without a click. Without script, the button "Continue" does the same.
document.getElementById("auto-post").requestSubmit();
